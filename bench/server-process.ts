import { fileURLToPath } from 'node:url'
import { Child } from './child.js'
import { sideOf } from './sides/index.js'

// The name that this file runs under: .ts from the sources, .js from a build.
const OWN = fileURLToPath(new URL('./server.js', import.meta.url))

/** A server of one side in a process of its own. */
export class ServerProcess {
  readonly #child: Child

  private constructor (child: Child, readonly url: string) {
    this.#child = child
  }

  /**
   * Resolves once it listens. Its storage starts empty if the folder does.
   *
   * @param profiles the folder that gets a CPU profile of it; undefined: none is made
   */
  static async start (side: string, folder: string, profiles?: string): Promise<ServerProcess> {
    const { script } = sideOf(side)
    const profiling = profiles === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profiles}`]
    const child = new Child('the server process', script ?? OWN, [side, folder], ['--expose-gc', ...profiling])
    try {
      return new ServerProcess(child, await child.next<string>())
    } catch (error) {
      await child.stop()
      throw error
    }
  }

  /**
   * The CPU time that the process has used so far, its kernel time included, in microseconds; undefined: the server is
   * not this process.
   */
  async cpuTime (): Promise<number | undefined> {
    const usage = await this.#child.ask<NodeJS.CpuUsage | null>('cpu')
    return usage === null ? undefined : usage.user + usage.system
  }

  /** Its memory in bytes, after a collection of garbage. */
  async memory (): Promise<NodeJS.MemoryUsage> {
    return await this.#child.ask('memory')
  }

  /** Resolves when it has ended by itself. */
  async stop (): Promise<void> {
    await this.#child.stop()
  }
}
