import { fork, type ChildProcess, type Serializable } from 'node:child_process'
import { once } from 'node:events'

/** A process of the benchmark, which tells one message after the other. It ends by itself when it is let go. */
export class Child {
  readonly #process: ChildProcess
  readonly #name: string
  readonly #messages: unknown[] = []
  #wait: { resolve: (message: unknown) => void, reject: (error: Error) => void } | undefined
  #isOver = false

  /** @param name what an error calls it */
  constructor (name: string, script: string, args: readonly string[] = [], execArgv: readonly string[] = []) {
    this.#name = name
    this.#process = fork(script, args, {
      execArgv: [...execArgv],
      env: { ...process.env, NODE_ENV: 'production' }
    })
    this.#process.on('message', (message) => {
      this.#messages.push(message)
      this.#deliver()
    })
    this.#process.on('exit', () => {
      this.#isOver = true
      this.#deliver()
    })
  }

  /** The next message, of those that were not taken yet. */
  async next<T> (): Promise<T> {
    return await new Promise<unknown>((resolve, reject) => {
      this.#wait = { resolve, reject }
      this.#deliver()
    }) as T
  }

  /** The answer to a question. */
  async ask<T> (question: Serializable): Promise<T> {
    this.send(question)
    return await this.next<T>()
  }

  send (message: Serializable): void {
    this.#process.send(message)
  }

  /** Resolves when it has ended by itself. */
  async stop (): Promise<void> {
    if (this.#isOver) return
    const ended = once(this.#process, 'exit')
    if (this.#process.connected) this.#process.disconnect()
    await ended
  }

  #deliver (): void {
    const wait = this.#wait
    if (wait === undefined || (this.#messages.length === 0 && !this.#isOver)) return
    this.#wait = undefined
    if (this.#messages.length > 0) wait.resolve(this.#messages.shift())
    else wait.reject(new Error(`${this.#name} ended.`))
  }
}
