import type { ReadOptions, WriteOptions } from '../storage/adapter.js'

/** A request, as far as the storage may ask for it: whether anybody still waits for its outcome. */
interface AwaitedRequest extends Required<Pick<ReadOptions, 'isOver'>> { readonly signal: AbortSignal }

/** The options of a call of the storage. They make no signal unless the adapter looks at it. */
export class StorageOptions implements ReadOptions {
  readonly #request: AwaitedRequest

  constructor (request: AwaitedRequest, readonly context: unknown, readonly unless: ReadOptions['unless']) {
    this.#request = request
  }

  get signal (): AbortSignal {
    return this.#request.signal
  }

  isOver (): boolean {
    return this.#request.isOver()
  }
}

/** The same for a write that leaves a digest. */
export class DigestOptions extends StorageOptions implements WriteOptions {
  constructor (request: AwaitedRequest, context: unknown, readonly digest: string) {
    super(request, context, undefined)
  }
}
