import type { Found } from './entity.js'
import { formatEntityTag } from '../http/entity-tag.js'
import type { CurrentEntity } from '../refusal-error.js'
import type { Stored } from '../storage/adapter.js'

/** What reads the value of an entity that a refusal found without it. */
interface Reader<T> { foundIn (stored: Stored<T>): Promise<Found<T>> }

/** The entity that a refusal found. What is stored is behind private fields, and made when it is asked for. */
export class RefusedBy<T> implements CurrentEntity {
  readonly #stored: Stored<T>
  readonly #reader: Reader<T>

  constructor (stored: Stored<T>, reader: Reader<T>) {
    this.#stored = stored
    this.#reader = reader
  }

  get version (): string {
    return this.#stored.version
  }

  get etag (): string {
    return formatEntityTag(this.#stored.version)
  }

  async read<R> (): Promise<Found<R>> {
    return await this.#reader.foundIn(this.#stored) as unknown as Found<R>
  }
}
