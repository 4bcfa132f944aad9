import type { ServerConfig } from './protocol.js'
import { ServerProcess } from './server-process.js'

/** Server processes on one store. */
export class Servers {
  readonly all: ServerProcess[] = []
  readonly isLate: boolean

  static async start (config: ServerConfig, processes: number): Promise<Servers> {
    const servers = new Servers(config)
    const started = await Promise.allSettled(Array.from({ length: processes }, () => ServerProcess.start(config, () => servers.#openGates())))
    servers.all.push(...started.flatMap((result) => result.status === 'fulfilled' ? [result.value] : []))
    const failure = started.find((result) => result.status === 'rejected')
    if (failure === undefined) return servers
    await servers.stop()
    throw failure.reason
  }

  private constructor ({ isLate }: ServerConfig) {
    this.isLate = isLate
  }

  async stop (): Promise<void> {
    await Promise.all(this.all.map((server) => server.stop()))
  }

  // The lockstep of a late store, over all processes.
  #openGates (): void {
    if (this.all.some(({ progress }) => progress === 'running')) return
    for (const server of this.all) if (server.progress === 'waiting') server.open()
  }
}
