import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'

/** The program that `npm start` runs. */
export const SERVER = fileURLToPath(new URL('../../../example/process/server.js', import.meta.url))

/** The settings of a server of a test, in place of those that the shell of the developer may hold. */
export const SETTINGS = {
  HOST: undefined,
  PORT: '0',
  STORAGE: 'memory:',
  TOKENS: undefined,
  WORKERS: undefined,
  STEP_MS: undefined,
  SHUTDOWN_MS: undefined,
  // A busy machine is no overload.
  MAX_LOOP_DELAY_MS: '0',
  MAX_LOOP_PERCENT: undefined,
  MAX_HEAP_PERCENT: undefined,
  MAX_REQUESTS_PER_TOKEN: undefined,
  MAX_CONNECTIONS: undefined,
  REQUEST_MS: undefined,
  ANSWER_MS: undefined,
  ACTIONS_IF_MATCH: undefined,
  LOG_LEVEL: undefined,
  METRICS_HOST: undefined,
  METRICS_PORT: undefined
}

/** The text that came out of a stream or socket so far, and a promise of text that will come. */
export interface Listener {
  text: () => string
  says: (what: RegExp) => Promise<RegExpExecArray>
}

/** Keeps what comes out of a stream or socket. */
export function listen (stream: NodeJS.ReadableStream): Listener {
  let text = ''
  const waiting = new Set<() => void>()
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
    for (const look of waiting) look()
  })
  return {
    text: () => text,
    says: async (what) => await new Promise((resolve) => {
      const look = (): void => {
        const match = what.exec(text)
        if (match === null) return
        waiting.delete(look)
        resolve(match)
      }
      waiting.add(look)
      look()
    })
  }
}

/** Starts the server, which is killed when the test ends. */
export function start (t: Test, env: Record<string, string> = {}) {
  const child: ChildProcess = spawn(process.execPath, [SERVER], {
    env: { ...process.env, ...SETTINGS, ...env },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  const exit = once(child, 'exit')
  t.teardown(async () => {
    child.kill('SIGKILL')
    await exit
  })
  return { child, exit, output: listen(child.stdout!), log: listen(child.stderr!) }
}

/** The port of a server, once it listens. */
export async function listening ({ output }: { output: Listener }): Promise<string> {
  return (await output.says(/listens at http:\/\/127\.0\.0\.1:(\d+)/))[1]!
}

/** The ids of the processes that wrote these lines of a log. */
export function processes (log: string): Set<number> {
  return new Set(log.trim().split('\n').map((line) => JSON.parse(line).pid))
}
