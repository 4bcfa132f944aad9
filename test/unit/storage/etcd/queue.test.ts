import { setImmediate as turn } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { EtcdGateway } from '../../../../lib/storage/etcd/gateway.js'
import { EtcdQueue } from '../../../../lib/storage/etcd/queue.js'
import { EtcdStore, type EtcdChange } from '../../../../lib/storage/etcd/store.js'
import { deleteIf, putIf, rangeFrom, rangeOf } from '../../../../lib/storage/etcd/wire.js'
import { stoppedClock } from '../../../support/etcd/clock.js'
import { EtcdStub } from '../../../support/etcd/stub.js'

const put = (key: string): EtcdChange => ({ key, condition: 'none', marker: key, transaction: putIf(key, key, 'none') })

const removal = (key: string): EtcdChange => ({
  key,
  condition: 'present',
  marker: undefined,
  transaction: deleteIf(key, 'present')
})

const TOGETHER = { key: 'together', create_revision: '5', version: '2' }

async function queueOn (t: Test, maxBytes = 1000, timeout = 20_000) {
  const stub = await EtcdStub.start(t, ({ body, path }) => {
    const { success } = body as { success?: object[] }
    const nested = { succeeded: true, responses: [{ response_put: {} }] }
    const answer =
      path === '/v3/kv/range'
        ? { kvs: [{ key: 'alone' }] }
        : {
            succeeded: true,
            responses: success!.map((operation) =>
              'request_txn' in operation
                ? { response_txn: nested }
                : 'request_range' in operation ? { response_range: { kvs: [TOGETHER] } } : { response_put: {} }
            )
          }
    return { json: { header: { revision: '7' }, ...answer } }
  })
  const gateway = new EtcdGateway({ endpoints: [stub.origin], timeout })
  t.teardown(() => { gateway.close() })
  return { queue: new EtcdQueue(new EtcdStore(gateway, timeout), { maxRequestBytes: maxBytes, timeout }), stub }
}

/** How many changes each request had. */
function sizes (stub: EtcdStub): number[] {
  return stub.requests.map(
    ({ body }) => (body as { success: object[] }).success.filter((operation) => !('request_range' in operation)).length
  )
}

await t.test('etcd-queue: changes of one turn are one transaction; a change that is alone is a plain one', async (t) => {
  const { queue, stub } = await queueOn(t)
  const outcomes = await Promise.all(['a', 'b', 'c'].map(async (key) => await queue.change(put(key), 1, undefined)))
  t.match(outcomes, [{ applied: true }, { applied: true }, { applied: true }])
  t.match(await queue.change(put('d'), 1, undefined), { applied: true })
  t.same(sizes(stub), [3, 1])
})

await t.test('etcd-queue: never more than 64 in a transaction', async (t) => {
  const { queue, stub } = await queueOn(t)
  await Promise.all(Array.from({ length: 400 }, (_, index) => queue.change(put(`k${index}`), 1, undefined)))
  t.same(sizes(stub).sort((a, b) => a - b), [16, 64, 64, 64, 64, 64, 64])
})

// Begins as many operations of a kind as make so many requests that are full.
const KINDS: ReadonlyArray<[string, (queue: EtcdQueue, requests: number) => Array<Promise<unknown>>]> = [
  ['writes', (queue, requests) => Array.from({ length: requests }, () => queue.change(put('k'), 1, undefined))],
  ['removals', (queue, requests) => Array.from({ length: requests }, () => queue.change(removal('k'), 1, undefined))],
  ['reads', (queue, requests) => Array.from({ length: requests * 64 }, () => queue.find(rangeOf('k'), undefined))],
  ['listings', (queue, requests) => Array.from({ length: requests }, () => queue.list(rangeFrom('a', 'a', 9)))]
]

/** A queue on a store that answers when it is told to, and counts the operations that are sent to it. */
function heldQueue (timeout: number) {
  const store = { sent: 0, answer: () => {} }
  const answered = new Promise<void>((resolve) => { store.answer = resolve })
  const found = { header: { revision: '7' } }
  async function sent<R> (answer: R, count = 1): Promise<R> {
    store.sent += count
    await answered
    return answer
  }
  const held: Pick<EtcdStore, keyof EtcdStore> = {
    change: async () => await sent({ applied: true, place: { createRevision: 7n, writes: 1n } }),
    changes: async (changes) =>
      await sent(
        changes.map(() => ({ status: 'fulfilled', value: { applied: false, current: undefined } })), changes.length
      ),
    range: async () => await sent(found),
    ranges: async (ranges) => await sent(ranges.map(() => found), ranges.length)
  }
  // More turns of the event loop than anything takes that waits for no answer.
  const turns = async () => { for (let count = 0; count < 50; count++) await turn() }
  return { queue: new EtcdQueue(held as EtcdStore, { maxRequestBytes: 1000, timeout }), store, turns }
}

for (const [kind, begin] of KINDS) {
  await t.test(`etcd-queue: ${kind} go four requests at a time, and the queue is idle when all of them have an answer`, async (t) => {
    const { queue, store, turns } = heldQueue(20_000)
    const all = begin(queue, 9)
    let isIdle = false
    const idle = queue.idle().then(() => { isIdle = true })
    await turns()
    t.strictSame([store.sent, isIdle], [all.length / 9 * 4, false])
    store.answer()
    await Promise.all([...all, idle])
    t.equal(store.sent, all.length)
  })

  await t.test(`etcd-queue: ${kind} that waited for longer than the timeout are not sent any more, and are unavailable`, async (t) => {
    const clock = stoppedClock(t)
    const { queue, store, turns } = heldQueue(100)
    const early = begin(queue, 5)
    await turns()
    clock.now += 1
    const late = begin(queue, 1)
    clock.now += 100
    store.answer()
    const outcomes = await Promise.allSettled(early)
    const waited = outcomes.filter((outcome) => outcome.status === 'rejected')
    t.equal(waited.length, early.length / 5)
    const unavailable = { reason: { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE', cause: { message: /waited/ } } }
    t.match(waited, waited.map(() => unavailable))
    await Promise.all(late)
    t.equal(store.sent, early.length / 5 * 4 + late.length)
  })
}

await t.test('etcd-queue: a key is never twice in a transaction', async (t) => {
  const { queue, stub } = await queueOn(t)
  await Promise.all(['a', 'a', 'b', 'a'].map((key) => queue.change(put(key), 1, undefined)))
  t.same(sizes(stub), [2, 1, 1])
})

await t.test('etcd-queue: removals go apart from writes, which a quota may stop', async (t) => {
  const { queue, stub } = await queueOn(t)
  await Promise.all([
    queue.change(put('a'), 1, undefined),
    queue.change(removal('b'), 1, undefined),
    queue.change(put('c'), 1, undefined),
    queue.change(removal('d'), 1, undefined)
  ])
  t.same(sizes(stub), [2, 2])
})

await t.test('etcd-queue: changes that are too many bytes together go in parts', async (t) => {
  const { queue, stub } = await queueOn(t, 1000)
  await Promise.all([400, 600, 1, 999, 1000, 5].map((bytes, index) => queue.change(put(`k${index}`), bytes, undefined)))
  t.same(sizes(stub).sort(), [1, 1, 2, 2])
})

await t.test('etcd-queue: reads of one turn are one transaction, one alone is a plain range', async (t) => {
  const { queue, stub } = await queueOn(t)
  const found = await Promise.all(['a', 'b', 'a'].map(async (key) => await queue.find(rangeOf(key), undefined)))
  t.same(found, [TOGETHER, TOGETHER, TOGETHER])
  t.same(await queue.find(rangeOf('a'), undefined), { key: 'alone' })
  t.same(stub.requests.map(({ path }) => path), ['/v3/kv/txn', '/v3/kv/range'])
})

await t.test('etcd-queue: an operation that was stopped before its turn is not sent, and its neighbours are', async (t) => {
  const { queue, stub } = await queueOn(t)
  const controller = new AbortController()
  const options = { signal: controller.signal }
  const outcomes = Promise.allSettled([
    queue.change(put('a'), 1, options),
    queue.change(put('b'), 1, undefined),
    queue.find(rangeOf('a'), options)
  ])
  controller.abort()
  t.match(await outcomes, [
    { reason: { name: 'AbortError' } },
    { value: { applied: true } },
    { reason: { name: 'AbortError' } }
  ])
  t.equal(stub.requests.length, 1)
})
