import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { PortTaken } from './free-port.js'
import type { Service, Owner } from './service.js'

const ANSWERS_WITHIN = 60_000
const STOPS_WITHIN = 10_000

/** The user that a program runs as. */
export interface User { uid: number, gid: number }

/** How an engine is started. */
export interface Engine {
  url: string
  command: readonly [file: string, ...args: string[]]
  folder: string
  /** What the engine writes when it is ready. Another process may answer on the same port, but does not write this. */
  ready: RegExp
  /** Whether the engine answers; asked again and again from the moment when it wrote that it is ready. */
  answers?: () => Promise<boolean>
  user?: User | undefined
  env?: Record<string, string>
  /** The signal that ends the engine, where SIGKILL would leave something behind. */
  stop?: NodeJS.Signals
}

/** Starts an engine. The engine and its folder end with the test. */
export async function startEngine (t: Owner, engine: Engine): Promise<Service> {
  const process = new EngineProcess(engine)
  t.teardown(async () => { await process.stop() })
  await process.start()
  return process
}

/** For programs that refuse to run as root: the user `nobody`, if this process is root's. */
export function notRoot (): User | undefined {
  if (process.getuid?.() !== 0) return undefined
  const [uid, gid] = ['-u', '-g'].map((option) =>
    Number(execFileSync('id', [option, 'nobody'], { encoding: 'utf8' }))
  ) as [number, number]
  return { uid, gid }
}

/** A temporary folder. */
export function newFolder (engine: string, user?: User): string {
  const folder = mkdtempSync(join(tmpdir(), `if-match-${engine}-`))
  if (user !== undefined) chownSync(folder, user.uid, user.gid)
  return folder
}

class EngineProcess implements Service {
  readonly url: string
  readonly #engine: Engine
  #child: ChildProcess | undefined
  /** Settles when the engine and its children are gone: each of them holds its output open. */
  #gone: Promise<unknown> = Promise.resolve()
  #log = ''

  constructor (engine: Engine) {
    this.#engine = engine
    this.url = engine.url
  }

  get pid (): number | undefined {
    return this.#child?.pid
  }

  async start (): Promise<void> {
    const { command: [file, ...args], folder, user, env, ready, answers } = this.#engine
    // LC_ALL, so that its log is in English.
    const child = spawn(file, args, {
      cwd: folder,
      env: { ...process.env, LC_ALL: 'C', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...user
    })
    await once(child, 'spawn')
    this.#child = child
    this.#log = ''
    this.#gone = once(child, 'close').then(() => { this.#child = undefined })
    this.#endWithUs(child)
    const said = new Promise<void>((resolve) => {
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding('utf8').on('data', (text: string) => {
          this.#log = (this.#log + text).slice(-20_000)
          if (ready.test(this.#log)) resolve()
        })
      }
    })
    const over = AbortSignal.timeout(ANSWERS_WITHIN)
    await Promise.race([said, this.#gone, once(over, 'abort')])
    while (this.#child !== undefined && !over.aborted) {
      if (answers === undefined || await answers()) return
      await delay(20)
    }
    if (this.#child === undefined && /\bin use\b/i.test(this.#log)) throw new PortTaken(this.#log)
    throw new Error(`${file} does not answer:\n${this.#log}`)
  }

  async kill (): Promise<void> {
    // Stopped first, so that no child is born while they are counted. A child that outlives its parent would go on
    // writing.
    this.pause()
    this.#signal('SIGKILL')
    await this.#gone
  }

  pause (): void {
    if (this.pid !== undefined) send(this.pid, 'SIGSTOP')
    this.#signal('SIGSTOP')
  }

  resume (): void {
    this.#signal('SIGCONT')
  }

  async restart (): Promise<void> {
    await this.kill()
    await this.start()
  }

  async stop (): Promise<void> {
    const { stop, folder } = this.#engine
    if (stop !== undefined && this.pid !== undefined) {
      this.resume()
      send(this.pid, stop)
      await Promise.race([this.#gone, delay(STOPS_WITHIN, undefined, { ref: false })])
    }
    await this.kill()
    await rm(folder, { recursive: true, force: true, maxRetries: 3 })
  }

  #signal (signal: NodeJS.Signals): void {
    if (this.pid === undefined) return
    for (const pid of [this.pid, ...childrenOf(this.pid)]) send(pid, signal)
  }

  /** A test that is killed tears nothing down. This shell sees the end of its input then, and ends the engine. */
  #endWithUs (child: ChildProcess): void {
    const script = 'read -r _; kill -9 "$1"; sleep 1; rm -rf "$2"'
    const shell = spawn('sh', ['-c', script, 'sh', String(child.pid), this.#engine.folder], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true
    })
    void this.#gone.then(() => shell.kill('SIGKILL'))
  }
}

/** Sends a signal to a process that may have ended by itself. */
function send (pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

function childrenOf (pid: number): number[] {
  const rows = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n')
  return rows
    .map((row) => row.trim().split(/\s+/).map(Number) as [number, number])
    .filter(([, parent]) => parent === pid)
    .map(([child]) => child)
}
