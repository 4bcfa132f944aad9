import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** A server of one side in a process of its own. */
export class ServerProcess {
  readonly #child: ChildProcess

  private constructor (child: ChildProcess, readonly url: string) {
    this.#child = child
  }

  /** Resolves once it listens. Its storage starts empty if the folder does. */
  static async start (side: string, folder: string): Promise<ServerProcess> {
    // The name that this file runs under: .ts from the sources, .js from a build.
    const script = fileURLToPath(import.meta.url).replace('server-process', 'server')
    const child = fork(script, [side, folder])
    return new ServerProcess(child, await answer<string>(child))
  }

  /** The CPU time that the process has used so far, its kernel time included, in microseconds. */
  async cpuTime (): Promise<number> {
    this.#child.send('cpu')
    const { user, system } = await answer<NodeJS.CpuUsage>(this.#child)
    return user + system
  }

  /** Resolves when it has ended by itself. */
  async stop (): Promise<void> {
    const ended = once(this.#child, 'exit')
    this.#child.disconnect()
    await ended
  }
}

async function answer<T> (child: ChildProcess): Promise<T> {
  const controller = new AbortController()
  const ended = once(child, 'exit', { signal: controller.signal }).then(() => {
    throw new Error('the server process ended.')
  })
  try {
    const [message] = await Promise.race([once(child, 'message', { signal: controller.signal }), ended]) as [T]
    return message
  } finally {
    ended.catch(() => {})
    controller.abort()
  }
}
