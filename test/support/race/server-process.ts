import { fork, type ChildProcess } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import type { Duplex } from 'node:stream'
import { LINE, type Command, type Message, type Report, type ServerConfig } from './protocol.js'

/** A server in a process of its own, and the levers to stop it in the middle of a round. */
export class ServerProcess {
  /** How far the requests of the round are; `running` if one is neither waiting for the store nor answered. */
  progress: 'running' | 'waiting' | 'answered' = 'answered'
  port = 0

  readonly #child: ChildProcess
  readonly #line: Duplex
  readonly #messages = new EventEmitter()
  readonly #ended = new AbortController()

  /** `onProgress` is called when `progress` became `waiting` or `answered`. */
  static async start (config: ServerConfig, onProgress: () => void): Promise<ServerProcess> {
    const server = new ServerProcess(config, onProgress)
    const [{ port }] = await server.#next('listening')
    server.port = port
    return server
  }

  private constructor (config: ServerConfig, onProgress: () => void) {
    this.#child = fork(new URL('./server.js', import.meta.url), [JSON.stringify(config)], {
      // Without the hooks of tap: what races is covered by other tests, and coverage would slow the servers down.
      execArgv: [],
      env: { ...process.env, NODE_OPTIONS: '' },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc', 'pipe']
    })
    this.#line = this.#child.stdio[LINE] as Duplex
    // The line ends with the server, and `exit` reports that.
    this.#line.on('error', () => {})
    this.#child.once('exit', (code, signal) =>
      this.#ended.abort(new Error(`a server process ended (${signal ?? code})`))
    )
    this.#child.on('message', (message: Message) => {
      if (message.kind === 'begun') this.progress = 'running'
      if (message.kind === 'waiting' || message.kind === 'answered') {
        this.progress = message.kind
        onProgress()
      }
      this.#messages.emit(message.kind, message)
    })
  }

  /** From now on, whether the store answers late. */
  async answerLate (isLate: boolean): Promise<void> {
    await this.#ask({ kind: 'answerLate', isLate }, 'paced')
  }

  /** Begins a round of so many requests to this server. */
  async begin (requests: number): Promise<void> {
    await this.#ask({ kind: 'begin', requests }, 'begun')
  }

  async end (): Promise<Report> {
    const [{ report }] = await this.#ask({ kind: 'end' }, 'ended')
    return report
  }

  /** Stops the event loop of the server: from now on what arrives lies in its sockets. */
  async hold (): Promise<void> {
    const held = once(this.#line, 'data', { signal: this.#ended.signal })
    this.#child.send({ kind: 'hold' } satisfies Command)
    await held
  }

  release (): void {
    this.#line.write('r')
  }

  /** Resolves when the server, from now on, has seen the headers of all requests of the round. */
  async seen (): Promise<void> {
    await this.#next('seen')
  }

  /** Lets the requests pass that wait for the store. */
  open (): void {
    this.progress = 'running'
    this.#child.send({ kind: 'open' } satisfies Command)
  }

  async stop (): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const exit = once(this.#child, 'exit')
    // Ends a hold, too.
    this.#line.destroy()
    if (this.#child.connected) this.#child.disconnect()
    const impatience = setTimeout(() => this.#child.kill('SIGKILL'), 5_000)
    await exit
    clearTimeout(impatience)
  }

  #ask<K extends Message['kind']> (command: Command, answer: K): Promise<[Extract<Message, { kind: K }>]> {
    const answered = this.#next(answer)
    this.#child.send(command)
    return answered
  }

  #next<K extends Message['kind']> (kind: K): Promise<[Extract<Message, { kind: K }>]> {
    return once(this.#messages, kind, { signal: this.#ended.signal }) as Promise<[Extract<Message, { kind: K }>]>
  }
}
