import type { ServerConfig } from './protocol.js'
import { ServerProcess } from './server-process.js'

/** Server processes on one store. */
export class Servers {
  readonly all: ServerProcess[] = []
  #isLate = false

  static async start (config: ServerConfig, processes: number): Promise<Servers> {
    const servers = new Servers()
    const started = await Promise.allSettled(
      Array.from({ length: processes }, () => ServerProcess.start(config, () => servers.#openGates()))
    )
    servers.all.push(...started.flatMap((result) => result.status === 'fulfilled' ? [result.value] : []))
    const failure = started.find((result) => result.status === 'rejected')
    if (failure === undefined) return servers
    await servers.stop()
    throw failure.reason
  }

  /** Whether the store answers late: no operation of a round is answered before all its requests wait for the store. */
  get isLate (): boolean {
    return this.#isLate
  }

  async answerLate (isLate: boolean): Promise<void> {
    await Promise.all(this.all.map((server) => server.answerLate(isLate)))
    this.#isLate = isLate
  }

  /**
   * Awaits `task`. If it takes longer, the servers are stopped, so that neither the task nor a later one hangs.
   */
  async within<R> (seconds: number, what: string, task: Promise<R>): Promise<R> {
    let stopped: Promise<void> | undefined
    const bound = setTimeout(() => { stopped = this.stop() }, seconds * 1_000)
    try {
      return await task
    } catch (error) {
      if (stopped === undefined) throw error
      await stopped
      throw new Error(`took more than ${seconds} seconds, and the servers were stopped: ${what}`, { cause: error })
    } finally {
      clearTimeout(bound)
    }
  }

  async stop (): Promise<void> {
    await Promise.all(this.all.map((server) => server.stop()))
  }

  // A late store keeps the requests of all processes in lockstep.
  #openGates (): void {
    if (this.all.some(({ progress }) => progress === 'running')) return
    for (const server of this.all) if (server.progress === 'waiting') server.open()
  }
}
