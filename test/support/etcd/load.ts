import { setTimeout as delay } from 'node:timers/promises'
import type { StorageAdapter } from '../../../lib/storage/adapter.js'
import { ABSENT, versionIn } from '../expectations.js'
import { until } from '../until.js'
import { flawsOf, type Seen } from './history.js'

const CALLS = 20_000
// Only a member that does not come back takes so long.
const RETURNS_WITHIN = 60_000

interface Register { key: string, first: { version: string, value: string }, history: Seen[] }

/** Clients that read and write a few registers, and note what they see until they are told to stop. */
export class Load {
  readonly counts: Record<Seen['kind'], number> = { applied: 0, refused: 0, read: 0, unavailable: 0, unknown: 0 }
  /** Errors that are none of the outcomes of the storage contract. */
  readonly failures: unknown[] = []
  readonly #registers: Register[]
  #isOver = false
  #values = 0
  #done: Promise<unknown> = Promise.resolve()

  private constructor (registers: Register[]) {
    this.#registers = registers
  }

  /** @param adapters each has two clients */
  static async start (adapters: readonly StorageAdapter[], registers = 3): Promise<Load> {
    const load = new Load(await Promise.all(Array.from({ length: registers }, async (_, index) => {
      const key = `r${index}`
      const result = await adapters[0]!.write(key, 'first', ABSENT)
      if (!result.applied) throw new Error('the register is not new')
      return { key, first: { version: result.version, value: 'first' }, history: [] }
    })))
    load.#done = Promise.all([...adapters, ...adapters].map(async (adapter) => { await load.#client(adapter) }))
    return load
  }

  /** Resolves after so many more acknowledged writes. */
  async more (acknowledged: number): Promise<void> {
    const goal = this.counts.applied + acknowledged
    await until(`${acknowledged} more writes are acknowledged`, () => this.counts.applied >= goal, RETURNS_WITHIN)
  }

  /** Stops, reads with this adapter what is there in the end, and says what no order of the calls explains. */
  async flaws (adapter: StorageAdapter): Promise<string[]> {
    this.#isOver = true
    await this.#done
    for (const register of this.#registers) await this.#read(adapter, register)
    return this.#registers.flatMap(({ key, first, history }) =>
      flawsOf(first, history).map((flaw) => `${key}: ${flaw}`)
    )
  }

  async #client (adapter: StorageAdapter): Promise<void> {
    for (let call = 0; call < CALLS && !this.#isOver; call++) {
      const register = this.#registers[Math.floor(Math.random() * this.#registers.length)]!
      try {
        const version = await this.#read(adapter, register)
        await this.#write(adapter, register, version)
      } catch (error) {
        // A read that failed saw nothing.
        if ((error as { code?: string }).code !== 'FST_IF_MATCH_STORAGE_UNAVAILABLE') this.failures.push(error)
        await delay(20)
      }
    }
  }

  async #read (adapter: StorageAdapter, { key, history }: Register): Promise<string> {
    const start = performance.now()
    const stored = await adapter.read(key)
    if (stored === undefined) throw new Error('a register is gone')
    this.#note(history, {
      kind: 'read',
      start,
      end: performance.now(),
      version: stored.version,
      value: String(stored.value)
    })
    return stored.version
  }

  async #write (adapter: StorageAdapter, { key, history }: Register, expected: string): Promise<void> {
    const value = `w${this.#values++}`
    const start = performance.now()
    try {
      const result = await adapter.write(key, value, versionIn(expected))
      const times = { start, end: performance.now() }
      if (result.applied) this.#note(history, { kind: 'applied', ...times, value, expected, version: result.version })
      else {
        this.#note(history, {
          kind: 'refused',
          ...times,
          value,
          current: { version: result.current!.version, value: String(result.current!.value) }
        })
      }
    } catch (error) {
      const { code } = error as { code?: string }
      if (code === 'FST_IF_MATCH_OUTCOME_UNKNOWN') this.#note(history, { kind: 'unknown', start, value, expected })
      else if (code === 'FST_IF_MATCH_STORAGE_UNAVAILABLE') this.#note(history, { kind: 'unavailable', value })
      else throw error
      await delay(20)
    }
  }

  #note (history: Seen[], seen: Seen): void {
    this.counts[seen.kind]++
    history.push(seen)
  }
}
