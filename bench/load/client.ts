import type { Dialect } from '../dialects/index.js'
import type { Scenario } from '../scenarios/index.js'
import { put } from '../scenarios/put.js'
import type { Answer } from './answer.js'
import type { Connection } from './connection.js'
import { encode, type Request } from './request.js'

/** What a client does over its connection. */
export interface Task {
  readonly scenario: Scenario
  readonly dialect: Dialect
  readonly document: string
  readonly hasTags: boolean
}

/** What a client names that is told no tags. */
const ANY = '*'
const STALE = '"stale"'

/** A client that sends the requests of a scenario to one entity, and holds every answer to what it must be. */
export class Client {
  readonly #connection: Connection
  readonly #task: Task
  readonly #id: number
  #tag = ANY
  #request = ''
  answered = 0

  constructor (connection: Connection, task: Task, id: number) {
    this.#connection = connection
    this.#task = task
    this.#id = id
  }

  /** Creates its entity, and learns its tag. */
  async create (): Promise<void> {
    const { scenario, dialect, document } = this.#task
    const answer = await this.#ask(dialect.create(this.#id, document))
    if (answer.status >= 300) throw new Error(`PUT of entity ${this.#id}: ${answer.status}`)
    const tag = await this.verify() ?? ANY
    this.#tag = !scenario.isStale ? tag : await this.#makeStale(tag)
    this.#prepare()
  }

  /** Whatever was done to the entity, it is still the document: a server that forgets it is no measurement. */
  async verify (): Promise<string | undefined> {
    const { dialect, document, hasTags } = this.#task
    const answer = await this.#ask(dialect.read(this.#id))
    const tag = dialect.tagOf(answer)
    if (answer.status !== 200 || dialect.documentOf(answer) !== document) {
      throw new Error(`GET of entity ${this.#id}: ${answer.status}, and not the document.`)
    }
    if ((tag !== undefined) !== hasTags) throw new Error(`GET of entity ${this.#id}: ${hasTags ? 'no tag' : 'a tag'}.`)
    return tag
  }

  /** Sends one request after the other. */
  async run (isOver: () => boolean): Promise<void> {
    const { scenario, dialect } = this.#task
    const status = dialect.status(scenario)
    while (!isOver()) {
      const answer = await this.#connection.ask(this.#request)
      if (answer.status !== status) {
        throw new Error(`${scenario.name}: ${answer.status} answer where all should be ${status}.`)
      }
      this.answered++
      if (scenario.changesTag) this.#follow(answer)
    }
  }

  /** Writes once more, so that this tag is the one before. */
  async #makeStale (tag: string): Promise<string> {
    const { dialect, document } = this.#task
    const answer = await this.#ask(dialect.request(put, this.#id, tag, document))
    if (answer.status !== dialect.status(put)) throw new Error(`PUT of entity ${this.#id}: ${answer.status}`)
    return tag === ANY ? STALE : tag
  }

  #follow (answer: Answer): void {
    const tag = this.#task.dialect.tagOf(answer)
    if (tag === undefined) return
    this.#tag = tag
    this.#prepare()
  }

  #prepare (): void {
    const { scenario, dialect, document } = this.#task
    const request = dialect.request(scenario, scenario.isShared ? 0 : this.#id, this.#tag, document)
    this.#request = encode(request, this.#connection.host)
  }

  async #ask (request: Request): Promise<Answer> {
    return await this.#connection.ask(encode(request, this.#connection.host))
  }
}
