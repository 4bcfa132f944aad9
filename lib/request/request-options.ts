import type { ReadOptions } from '../storage/adapter.js'
import { kIsOver } from '../storage/kit/stop.js'

interface Request {
  readonly signal: AbortSignal
  isOver (): boolean
}

/** What goes along to the storage with each call of a request: cheap to make, and to ask whether the request is over. */
export class RequestOptions implements ReadOptions {
  readonly #state: Request

  constructor (state: Request, readonly context: unknown) {
    this.#state = state
  }

  get signal (): AbortSignal {
    return this.#state.signal
  }

  [kIsOver] (): boolean {
    return this.#state.isOver()
  }
}
