import { setImmediate as turn } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { EtcdGateway } from '../../lib/storage/etcd-gateway.js'
import { EtcdQueue } from '../../lib/storage/etcd-queue.js'
import { EtcdStore, type EtcdChange } from '../../lib/storage/etcd-store.js'
import { deleteIf, putIf, rangeFrom, rangeOf } from '../../lib/storage/etcd-transaction.js'
import { EtcdStub } from './etcd-stub.js'

const put = (key: string): EtcdChange => ({ key, condition: 'none', marker: key, transaction: putIf(key, key, 'none') })

const TOGETHER = { key: 'together', create_revision: '5', version: '2' }

async function queueOn (t: Test, maxBytes = 1000, timeout = 2000) {
  const stub = await EtcdStub.start(t, ({ body, path }) => {
    const { success } = body as { success?: object[] }
    const nested = { succeeded: true, responses: [{ response_put: {} }] }
    const answer = path === '/v3/kv/range' ? { kvs: [{ key: 'alone' }] } : { succeeded: true, responses: success!.map((operation) => 'request_txn' in operation ? { response_txn: nested } : { response_range: { kvs: [TOGETHER] } }) }
    return { json: { header: { revision: '7' }, ...answer } }
  })
  const gateway = new EtcdGateway({ endpoints: [stub.origin], timeout })
  t.teardown(() => { gateway.close() })
  return { queue: new EtcdQueue(new EtcdStore(gateway, timeout), { maxRequestBytes: maxBytes, timeout }), stub }
}

const removal = (key: string): EtcdChange => ({ key, condition: 'present', marker: undefined, transaction: deleteIf(key, 'present') })

/** How many nested transactions each request had; 0 if it was a plain one. */
function sizes (stub: EtcdStub): number[] {
  return stub.requests.map(({ body }) => (body as { success: object[] }).success.filter((operation) => 'request_txn' in operation).length)
}

await t.test('etcd-queue: what arrives in one turn is one transaction; what is alone is a plain one (E26)', async (t) => {
  const { queue, stub } = await queueOn(t)
  t.match(await Promise.all(['a', 'b', 'c'].map((key) => queue.change(put(key), 1, undefined))), [{ applied: true }, { applied: true }, { applied: true }])
  t.match(await queue.change(put('d'), 1, undefined), { applied: true })
  t.same(sizes(stub), [3, 0])
})

await t.test('etcd-queue: never more than 64 in a transaction, and four at a time (E53, E55)', async (t) => {
  const { queue, stub } = await queueOn(t)
  let underWay = 0
  let most = 0
  const { behave } = stub
  stub.behave = (request) => {
    most = Math.max(most, ++underWay)
    setImmediate(() => { underWay-- })
    return behave(request)
  }
  await Promise.all(Array.from({ length: 400 }, (_, at) => queue.change(put(`k${at}`), 1, undefined)))
  t.same(sizes(stub).sort((a, b) => a - b), [16, 64, 64, 64, 64, 64, 64])
  t.ok(most <= 4, `${most} at a time`)
})

await t.test('etcd-queue: a key is never twice in a transaction (E54)', async (t) => {
  const { queue, stub } = await queueOn(t)
  await Promise.all(['a', 'a', 'b', 'a'].map((key) => queue.change(put(key), 1, undefined)))
  t.same(sizes(stub), [2, 0, 0])
})

await t.test('etcd-queue: removals go apart from writes, which a quota may stop (E57)', async (t) => {
  const { queue, stub } = await queueOn(t)
  await Promise.all([queue.change(put('a'), 1, undefined), queue.change(removal('b'), 1, undefined), queue.change(put('c'), 1, undefined), queue.change(removal('d'), 1, undefined)])
  t.same(sizes(stub), [2, 2])
  t.same(stub.requests.map(({ body }) => (body as { failure?: unknown[] }).failure?.length).sort(), [1, undefined], 'and writes count for the quota')
})

await t.test('etcd-queue: what would be too many bytes together goes in parts (E53)', async (t) => {
  const { queue, stub } = await queueOn(t, 1000)
  await Promise.all([400, 600, 1, 999, 1000, 5].map((bytes, at) => queue.change(put(`k${at}`), bytes, undefined)))
  t.same(sizes(stub).sort(), [0, 0, 2, 2])
})

await t.test('etcd-queue: reads of one turn are one transaction, one alone is a plain range', async (t) => {
  const { queue, stub } = await queueOn(t)
  t.same(await Promise.all(['a', 'b', 'a'].map((key) => queue.find(rangeOf(key), undefined))), [TOGETHER, TOGETHER, TOGETHER])
  t.same(await queue.find(rangeOf('a'), undefined), { key: 'alone' })
  t.same(stub.requests.map(({ path }) => path), ['/v3/kv/txn', '/v3/kv/range'])
})

await t.test('etcd-queue: listings go one by one, four at a time, and are waited for', async (t) => {
  const { queue, stub } = await queueOn(t)
  const lists = Array.from({ length: 8 }, () => queue.list(rangeFrom('a', 'a', 9)))
  await queue.idle()
  t.equal(stub.requests.length, 8)
  t.match(await Promise.all(lists), Array.from({ length: 8 }, () => ({ kvs: [{ key: 'alone' }] })))
})

await t.test('etcd-queue: what was stopped before its turn is not sent, and its neighbours are', async (t) => {
  const { queue, stub } = await queueOn(t)
  const controller = new AbortController()
  const options = { signal: controller.signal }
  const outcomes = Promise.allSettled([queue.change(put('a'), 1, options), queue.change(put('b'), 1, undefined), queue.find(rangeOf('a'), options)])
  controller.abort()
  t.match(await outcomes, [{ reason: { name: 'AbortError' } }, { value: { applied: true } }, { reason: { name: 'AbortError' } }])
  t.equal(stub.requests.length, 1)
})

await t.test('etcd-queue: what waited for longer than the timeout is not sent any more, and is unavailable', async (t) => {
  const { queue, stub } = await queueOn(t, 1000, 100)
  stub.behave = () => 'hold'
  const writes = Array.from({ length: 64 }, () => queue.change(put('k'), 1, undefined))
  const reads = Array.from({ length: 64 * 6 }, () => queue.find(rangeOf('k'), undefined))
  const outcomes = await Promise.allSettled([...writes, ...reads])
  const codes = outcomes.map((outcome) => (outcome as { reason: { code: string } }).reason.code)
  const sent = stub.requests.filter(({ body }) => JSON.stringify(body).includes('request_put')).length
  // Four, or fewer where this process had to wait for the processor.
  t.ok(sent >= 1 && sent <= 4, `${sent} were sent`)
  t.equal(codes.filter((code) => code === 'FST_IF_MATCH_OUTCOME_UNKNOWN').length, sent)
  t.match(outcomes.at(63), { reason: { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE', cause: { message: /waited/ } } })
  t.match(outcomes.at(-1), { reason: { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE', cause: { message: /waited/ } } })
})

await t.test('etcd-queue: it is idle when everything has an answer', async (t) => {
  const { queue, stub } = await queueOn(t)
  const done: string[] = []
  const all = [queue.change(put('a'), 1, undefined), queue.find(rangeOf('a'), undefined)].map((answer) => answer.then(() => { done.push('answered') }))
  await turn()
  await queue.idle()
  done.push('idle')
  await Promise.all(all)
  t.same(done, ['answered', 'answered', 'idle'])
  t.equal(stub.requests.length, 2)
})
