import type { Test } from 'tap'
import type { ListingAdapter } from 'fastify-if-match'
import { ABSENT, ANY, EXISTS } from './expectations.js'
import type { Proxy } from './services/proxy.js'
import { until } from './until.js'

export const UNKNOWN = 'FST_IF_MATCH_OUTCOME_UNKNOWN'
export const UNAVAILABLE = 'FST_IF_MATCH_STORAGE_UNAVAILABLE'

/** The connections of a pool. */
export interface PoolCounts { total: number, idle: number, waiting: number }

/** Two adapters on one table, one of them behind a proxy. */
export interface BehindProxy {
  proxy: Proxy
  /** The adapter behind the proxy. It has waited for its first answer. */
  cut: ListingAdapter
  counts: () => PoolCounts
  /** Takes all connections of the pool at once, so that each is there, and gives them back. */
  fill: () => Promise<unknown>
  /** The adapter that nobody cuts off. */
  adapter: ListingAdapter
  /** Each value that was ever stored, once for each write. */
  valuesSoFar: () => Promise<unknown[]>
}

/** What a case asks of the adapter behind the proxy. */
export interface CutOptions {
  /** How many connections its pool has. */
  connections?: number
  /** How long an operation waits for one, in milliseconds. */
  patience?: number
}

/** Sets both adapters up, on a new table. */
export type SetUp = (t: Test, options?: CutOptions) => Promise<BehindProxy>

// Whether a request is a write, or a removal of the key "mine": a read of another key has no such text in it.
const isMine = (request: Buffer): boolean => request.includes('mine')

/** Of an adapter of a server behind a pool: no answer, a late one, and no connection. */
export async function networkFaults (t: Test, setUp: SetUp): Promise<void> {
  await t.test('if its answer is cut off, a write that was applied is acknowledged, never refused, and is applied once', async (t) => {
    await lostAnswers(t, await setUp(t))
  })

  await t.test('a write whose answer was held and that another client replaced since is acknowledged, and the other write stays', async (t) => {
    const { proxy, cut, adapter } = await setUp(t)
    const { answered } = proxy.hold({ when: isMine })
    const writing = cut.write('k', 'mine', ABSENT)
    await answered
    t.match(await adapter.write('k', 'theirs', EXISTS), { applied: true })
    t.match(await writing, { applied: true, created: true })
    t.equal((await adapter.read('k'))?.value, 'theirs')
  })

  await t.test('an answer that never comes is waited for until "timeout"; then a read on another connection proves the write', async (t) => {
    const { proxy, cut, adapter } = await setUp(t)
    // For ever: a test that waits for this answer hangs.
    proxy.hold({ when: isMine })
    t.match(await cut.write('k', 'mine', ABSENT), { applied: true })
    t.equal((await adapter.read('k'))?.value, 'mine')
  })

  await t.test('on a half-open network a write is unknown and a read unavailable; dead connections leave the pool, which works when the network heals', async (t) => {
    const { proxy, counts, fill, cut, adapter } = await setUp(t, { connections: 4, patience: 3000 })
    await fill()
    // Until all three have their answer.
    proxy.halfOpen()
    await Promise.all([
      t.rejects(cut.write('k', 'mine', ABSENT), { code: UNKNOWN }),
      t.rejects(cut.read('k'), { code: UNAVAILABLE }),
      t.rejects(cut.list(''), { code: UNAVAILABLE })
    ])
    await until('no dead connection holds a place in the pool', () => counts().total === 0)
    proxy.pass()
    t.match(await cut.write('k2', 'mine', ABSENT), { applied: true })
    t.match(await adapter.read('k2'), { value: 'mine' })
  })

  await t.test('refused connections, a full pool and a half-open network: nothing is applied after STORAGE_UNAVAILABLE', async (t) => {
    const { proxy, counts, cut, adapter } = await setUp(t, { connections: 1, patience: 2000 })
    const certain: string[] = []
    const attempt = async (key: string) => {
      const code = await cut.write(key, 'mine', ANY).then(() => 'applied', (error: { code: string }) => error.code)
      if (code === UNAVAILABLE) certain.push(key)
      t.ok([UNAVAILABLE, UNKNOWN].includes(code), `${key}: ${code}`)
    }
    await proxy.refuse()
    await Promise.all(['refused-1', 'refused-2'].map(attempt))
    await proxy.accept()
    await until('the pool has a connection again', async () => await cut.read('warm').then(() => true, () => false))
    proxy.halfOpen()
    // One after the other, so that they are no batch: the first has the only connection, and the others find the pool
    // full.
    const attempts: Array<Promise<void>> = []
    for (const [index, key] of ['open-1', 'open-2', 'open-3'].entries()) {
      let isOver = false
      attempts.push(attempt(key).finally(() => { isOver = true }))
      await until(`${key} is on its way`, () => isOver || (counts().idle === 0 && counts().waiting === index))
    }
    await Promise.all(attempts)
    proxy.pass()
    t.ok(certain.length >= 2, certain.join())
    await until('the pool sends nothing', () => counts().waiting === 0 && counts().total === counts().idle)
    t.match(await cut.write('after', 1, ANY), { applied: true })
    await until('all that was sent is carried out', () => proxy.left === 0)
    for (const key of certain) t.equal(await adapter.read(key), undefined, key)
  })
}

/** The answers to writes and to a removal are lost: each was applied once, and none of the writes is refused. */
export async function lostAnswers (t: Test, { proxy, cut, adapter, valuesSoFar }: BehindProxy): Promise<void> {
  for (const expectation of [ABSENT, EXISTS, ANY]) {
    const { answered } = proxy.cutAnswer({ when: isMine })
    const writing = cut.write('k', `mine ${expectation.kind}`, expectation)
    await answered
    t.match(await writing, { applied: true, created: expectation.kind === 'absent' }, expectation.kind)
    t.equal((await adapter.read('k'))?.value, `mine ${expectation.kind}`)
  }
  t.same(await valuesSoFar(), ['mine absent', 'mine exists', 'mine any'], 'each once')
  await adapter.write('mine', 'before', ABSENT)
  const { answered } = proxy.cutAnswer({ when: isMine })
  const removing = t.rejects(cut.remove('mine', EXISTS), { code: UNKNOWN })
  await answered
  await removing
  t.equal(await adapter.read('mine'), undefined)
}
