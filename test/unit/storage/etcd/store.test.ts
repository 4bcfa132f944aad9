import { mock } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { inspect } from 'node:util'
import t, { type Test } from 'tap'
import { sealed } from '../../../../lib/storage/etcd/envelope.js'
import { EtcdFault } from '../../../../lib/storage/etcd/faults.js'
import { EtcdGateway } from '../../../../lib/storage/etcd/gateway.js'
import { EtcdStore, type EtcdChange } from '../../../../lib/storage/etcd/store.js'
import { deleteIf, putIf, rangeOf, type EtcdCondition } from '../../../../lib/storage/etcd/wire.js'
import { base64 } from '../../../support/etcd/base64.js'
import { etcdError, EtcdStub, type StubAnswer, type StubRequest } from '../../../support/etcd/stub.js'

const UNKNOWN = { code: 'FST_IF_MATCH_OUTCOME_UNKNOWN' }
const UNAVAILABLE = { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE' }
const FAULT = { code: 'FST_IF_MATCH_STORAGE_FAULT', statusCode: 500, cause: { message: /^etcd: / } }
const NO_SPACE = etcdError(429, 8, 'etcdserver: mvcc: database space exceeded')

const put = (key: string, condition: EtcdCondition = 'none'): EtcdChange => ({
  key,
  condition,
  marker: `m-${key}`,
  transaction: putIf(key, sealed({ marker: `m-${key}`, value: 1 }), condition)
})
const removal = (key: string): EtcdChange => ({
  key,
  condition: 'present',
  marker: undefined,
  transaction: deleteIf(key, 'present')
})

interface State { marker: string, revision: number | bigint, created?: number | bigint, writes?: number }

function answerOf (header: number | bigint, state?: State): StubAnswer {
  const kvs = state && [
    {
      key: base64('k'),
      value: base64(sealed({ marker: state.marker, value: 1 })),
      create_revision: String(state.created ?? 5),
      mod_revision: String(state.revision),
      version: String(state.writes ?? 1)
    }
  ]
  return { json: { header: { revision: String(header) }, kvs } }
}

/**
 * A store whose transactions end as `write` says, and whose ranges, now and at earlier revisions, end as `look` says.
 */
async function storeOn (
  t: Test,
  write: (request: StubRequest) => StubAnswer | 'cut',
  look: (revision: number | undefined) => StubAnswer | 'cut',
  timeout = 20_000
) {
  const stub = await EtcdStub.start(t, (request) => {
    if (request.path === '/v3/kv/txn') return write(request)
    const { revision } = request.body as { revision?: string }
    return look(revision === undefined ? undefined : Number(revision))
  })
  const gateway = new EtcdGateway({ endpoints: [stub.origin], timeout })
  t.teardown(() => {
    gateway.close()
  })
  return { store: new EtcdStore(gateway, timeout), stub }
}

await t.test('etcd-store: after a lost answer, our marker in the newest state proves that it was applied, and where', async (t) => {
  const { store } = await storeOn(
    t,
    () => 'cut',
    () => answerOf(9, { marker: 'm-k', revision: 9, created: 5, writes: 3 })
  )
  t.strictSame(await store.change(put('k')), { applied: true, place: { createRevision: 5n, writes: 3n } })
})

await t.test('etcd-store: our marker in the state that somebody replaced since proves the same', async (t) => {
  const { store } = await storeOn(t, () => 'cut', (revision) => revision === undefined
    ? answerOf(9, { marker: 'other', revision: 9, writes: 4 })
    : revision === 8 ? answerOf(9, { marker: 'm-k', revision: 7, writes: 3 }) : answerOf(9))
  t.strictSame(await store.change(put('k')), { applied: true, place: { createRevision: 5n, writes: 3n } })
})

await t.test('etcd-store: after a lost answer, everything else is unknown, and the write is not sent again', async (t) => {
  const looks: Array<[string, (revision: number | undefined) => StubAnswer | 'cut']> = [
    ['there is nothing', () => answerOf(9)],
    ['it is as it was: the write may still be under way', () => answerOf(1, { marker: 'other', revision: 1 })],
    ['others wrote twice', (revision) => answerOf(9, { marker: 'other', revision: revision ?? 9 })],
    [
      'what was before was compacted',
      (revision) =>
        revision === undefined
          ? answerOf(9, { marker: 'other', revision: 9 })
          : etcdError(400, 11, 'etcdserver: mvcc: required revision has been compacted')
    ],
    [
      'there was nothing before',
      (revision) => (revision === undefined ? answerOf(9, { marker: 'other', revision: 9 }) : answerOf(9))
    ],
    ['no look succeeds', () => 'cut'],
    [
      'somebody else wrote something else',
      () => ({
        json: {
          header: { revision: '9' },
          kvs: [{ key: '', value: base64('secret'), create_revision: '9', mod_revision: '9', version: '1' }]
        }
      })
    ]
  ]
  for (const [title, look] of looks) {
    const { store, stub } = await storeOn(t, () => 'cut', look)
    await t.rejects(store.change(put('k')), UNKNOWN, title)
    t.equal(stub.requests.filter(({ path }) => path === '/v3/kv/txn').length, 1)
  }
})

await t.test('etcd-store: a removal leaves no marker, so a lost one is unknown', async (t) => {
  for (const look of [
    answerOf(9),
    answerOf(9, { marker: 'm-k', revision: 9 }),
    answerOf(0, { marker: 'm-k', revision: 0 })
  ]) {
    const { store } = await storeOn(t, () => 'cut', () => look)
    await t.rejects(store.change(removal('k')), UNKNOWN)
  }
})

await t.test('etcd-store: a change that was refused before it ran is unavailable, and is not looked for', async (t) => {
  const { store, stub } = await storeOn(t, () => etcdError(429, 8, 'etcdserver: too many requests'), () => answerOf(9))
  await t.rejects(store.change(put('k')), { ...UNAVAILABLE, cause: { message: /too many/ } })
  t.equal(stub.requests.length, 1)
})

await t.test('etcd-store: a value that this server calls too large is invalid, alone and after it went along with others', async (t) => {
  const { store } = await storeOn(t, ({ body }) => JSON.stringify(body).includes(base64('large'))
    ? etcdError(400, 3, 'etcdserver: request is too large')
    : { json: { header: { revision: '7' }, succeeded: true } }, () => answerOf(9))
  await t.rejects(store.change(put('large')), { code: 'FST_IF_MATCH_INVALID_VALUE' })
  t.match(await store.changes([put('a'), put('large'), put('b')]), [
    { value: { applied: true } },
    { reason: { code: 'FST_IF_MATCH_INVALID_VALUE' } },
    { value: { applied: true } }
  ])
})

await t.test('etcd-store: changes that this server refuses to do together go alone, as where it takes fewer operations in a transaction', async (t) => {
  const { store, stub } = await storeOn(t, ({ body }) => (body as { success: object[] }).success.length > 2
    ? etcdError(400, 3, 'etcdserver: too many operations in txn request')
    : { json: { header: { revision: '7' }, succeeded: true } }, () => answerOf(9))
  t.match(await store.changes([put('a'), put('b')]), [{ value: { applied: true } }, { value: { applied: true } }])
  t.equal(stub.requests.length, 3)
})

await t.test('etcd-store: changes that were refused for another reason are not sent again alone', async (t) => {
  for (const [refusal, reason] of [
    [etcdError(429, 8, 'etcdserver: too many requests'), UNAVAILABLE],
    [etcdError(403, 7, 'etcdserver: permission denied'), FAULT]
  ] as const) {
    const { store, stub } = await storeOn(t, () => refusal, () => answerOf(9))
    t.match(await store.changes([put('a'), put('b')]), [{ reason }, { reason }])
    t.equal(stub.requests.length, 1)
  }
})

await t.test('etcd-store: a missing right and a request that etcd does not take are a fault of the server, in reads too; a login is an outage', async (t) => {
  for (const [refusal, error] of [
    [etcdError(403, 7, 'etcdserver: permission denied'), FAULT],
    [etcdError(400, 3, 'etcdserver: duplicate key given in txn request'), FAULT],
    [etcdError(501, 12, 'unknown method'), FAULT],
    [etcdError(400, 3, 'etcdserver: user name is empty'), UNAVAILABLE],
    [etcdError(400, 9, 'etcdserver: whatever stands in the way now'), UNAVAILABLE]
  ] as const) {
    const { store } = await storeOn(t, () => refusal, () => refusal)
    await t.rejects(store.change(put('k')), error)
    await t.rejects(store.range(rangeOf('k')), error)
  }
})

await t.test('etcd-store: without space a write was not applied if nothing was written since; it was applied if its marker is there; else it is unknown', async (t) => {
  const { store, stub } = await storeOn(t, () => NO_SPACE, () => answerOf(8, { marker: 'other', revision: 8 }))
  await store.range(rangeOf('k'))
  await t.rejects(store.change(put('k')), { ...UNAVAILABLE, cause: { message: /quota/ } }, 'it is as it was')
  stub.behave = ({ path }) => path === '/v3/kv/txn' ? NO_SPACE : answerOf(8)
  await t.rejects(store.change(put('k')), UNAVAILABLE, 'there is nothing, as before')
  stub.behave = ({ path }) => path === '/v3/kv/txn' ? NO_SPACE : answerOf(9, { marker: 'm-k', revision: 9, created: 9 })
  t.strictSame(await store.change(put('k')), { applied: true, place: { createRevision: 9n, writes: 1n } })
  stub.behave = ({ path }) => path === '/v3/kv/txn' ? NO_SPACE : answerOf(12)
  await t.rejects(store.change(put('k')), UNKNOWN, 'it may have been removed again')
})

await t.test('etcd-store: revisions beyond what a number holds lose nothing', async (t) => {
  const large = 2n ** 53n
  const { store, stub } = await storeOn(
    t,
    () => ({ json: { header: { revision: String(large + 1n) }, succeeded: true } }),
    () => answerOf(large + 1n)
  )
  t.strictSame(await store.change(put('k', 'absent')), {
    applied: true,
    place: { createRevision: large + 1n, writes: 1n }
  })

  stub.behave = ({ path }) => path === '/v3/kv/txn' ? NO_SPACE : answerOf(large + 1n)
  await t.rejects(store.change(put('k')), UNAVAILABLE, 'nothing is newer than the revision that was known')

  const before = await storeOn(t, () => NO_SPACE, () => answerOf(large))
  await before.store.range(rangeOf('k'))
  before.stub.behave = ({ path }) =>
    path === '/v3/kv/txn'
      ? NO_SPACE
      : answerOf(large + 1n, { marker: 'm-k', revision: large + 1n, created: large + 1n })
  t.strictSame(
    await before.store.change(put('k')),
    { applied: true, place: { createRevision: large + 1n, writes: 1n } },
    'it is newer than the revision that was known'
  )

  stub.behave = ({ path }) =>
    path === '/v3/kv/txn' ? 'cut' : answerOf(large + 3n, { marker: 'other', revision: large + 3n })
  await t.rejects(store.change(put('k')), UNKNOWN)
  t.match(stub.requests.at(-1)!.body, { revision: String(large + 2n) }, 'the state before it')
})

await t.test('etcd-store: an older answer that comes late does not lower the newest known revision, and the state before the newest one counts, too', async (t) => {
  const { store, stub } = await storeOn(t, () => NO_SPACE, () => answerOf(8))
  await store.range(rangeOf('k'))
  stub.behave = () => answerOf(5)
  await store.range(rangeOf('k'))
  stub.behave = ({ path }) => path === '/v3/kv/txn' ? NO_SPACE : answerOf(8)
  await t.rejects(store.change(put('k')), UNAVAILABLE)
  stub.behave = ({ path, body }) =>
    path === '/v3/kv/txn'
      ? NO_SPACE
      : answerOf(12, { marker: 'other', revision: (body as { revision?: string }).revision === undefined ? 12 : 7 })
  await t.rejects(store.change(put('k')), UNAVAILABLE)
})

/** The operations that a transaction carries out at once, or its nested transactions. */
function shapeOf ({ body }: StubRequest): string[] {
  return (body as { success: object[] }).success.map((operation) => Object.keys(operation)[0]!)
}

await t.test('etcd-store: changes go together under all of their conditions; if one does not hold, each under its own, and so do the next ones until none is refused', async (t) => {
  const applied = { response_txn: { succeeded: true, responses: [{ response_put: {} }] } }
  let isRefused = false
  const { store, stub } = await storeOn(t, (request) => ({
    json: {
      header: { revision: '20' },
      ...shapeOf(request).includes('request_txn')
        ? { succeeded: true, responses: [applied, isRefused ? { response_txn: {} } : applied] }
        : isRefused ? {} : { succeeded: true, responses: [{ response_put: {} }, { response_put: {} }] }
    }
  }), () => answerOf(20))
  const together = async (): Promise<unknown> => {
    stub.requests.splice(0)
    const outcomes = await store.changes([put('a', 'absent'), put('b', { createRevision: 6n, writes: 7n })])
    const isApplied = outcomes.map((outcome) => outcome.status === 'fulfilled' && outcome.value.applied)
    return [isApplied, stub.requests.map(shapeOf)]
  }
  const [flat, nested] = [['request_put', 'request_put'], ['request_txn', 'request_txn']]
  t.strictSame(await together(), [[true, true], [flat]])
  isRefused = true
  t.strictSame(await together(), [[true, false], [flat, nested]])
  t.strictSame(await together(), [[true, false], [nested]])
  isRefused = false
  t.strictSame(await together(), [[true, true], [nested]])
  t.strictSame(await together(), [[true, true], [flat]])
})

await t.test('etcd-store: changes that go each under its own condition count for the quota as writes, and not as removals', async (t) => {
  const { store, stub } = await storeOn(t, (request) => ({
    json: {
      header: { revision: '20' },
      ...shapeOf(request).includes('request_txn') && { responses: [{ response_txn: {} }, { response_txn: {} }] }
    }
  }), () => answerOf(20))
  for (const changes of [[put('a'), put('b')], [removal('a'), removal('b')]]) {
    t.match(await store.changes(changes), [{ value: { applied: false } }, { value: { applied: false } }])
  }
  t.strictSame(
    stub.requests.map(({ body }) => (body as { failure?: unknown[] }).failure?.length),
    [undefined, 1, undefined]
  )
})

await t.test('etcd-store: of changes that went together under all of their conditions each has its place', async (t) => {
  const before = { response_range: { kvs: [{ create_revision: '5', version: '2' }] } }
  const done = { response_put: {} }
  const { store } = await storeOn(t, () => ({
    json: {
      header: { revision: '20' },
      succeeded: true,
      responses: [{ response_range: {} }, done, before, done, before, done, done, done]
    }
  }), () => answerOf(20))
  t.match(
    await store.changes([
      put('a'), put('b'), put('c', 'present'), put('d', { createRevision: 6n, writes: 7n }), put('e', 'absent')
    ]),
    [[20n, 1n], [5n, 3n], [5n, 3n], [6n, 8n], [20n, 1n]].map(([createRevision, writes]) =>
      ({ value: { applied: true, place: { createRevision, writes } } }))
  )
})

await t.test('etcd-store: of changes that went together each has an outcome of its own', async (t) => {
  const put5 = { response_range: { kvs: [{ create_revision: '5', version: '2' }] } }
  const responses = [
    { response_txn: { succeeded: true, responses: [{ response_range: {} }, { response_put: {} }] } },
    { response_txn: { succeeded: true, responses: [put5, { response_put: {} }] } },
    { response_txn: { responses: [{ response_range: {} }] } },
    { response_txn: { succeeded: true, responses: [{ response_put: {} }] } }
  ]
  const { store } = await storeOn(t, (request) => ({
    json: { header: { revision: '20' }, ...shapeOf(request).includes('request_txn') && { responses } }
  }), () => answerOf(20))
  t.match(
    await store.changes([put('a'), put('b'), put('c', 'present'), put('d', { createRevision: 6n, writes: 7n })]),
    [
      { value: { applied: true, place: { createRevision: 20n, writes: 1n } } },
      { value: { applied: true, place: { createRevision: 5n, writes: 3n } } },
      { value: { applied: false, current: undefined } },
      { value: { applied: true, place: { createRevision: 6n, writes: 8n } } }
    ]
  )
})

await t.test('etcd-store: a lost answer to changes that went together: each is proven or unknown, and none is sent again', async (t) => {
  const { store, stub } = await storeOn(t, () => 'cut', () => answerOf(9, { marker: 'm-a', revision: 9 }))
  t.match(await store.changes([put('a'), put('b')]), [{ value: { applied: true } }, { reason: UNKNOWN }])
  t.match(await store.changes([removal('c'), removal('d')]), [{ reason: UNKNOWN }, { reason: UNKNOWN }])
  t.equal(stub.requests.filter(({ path }) => path === '/v3/kv/txn').length, 2)
})

await t.test('etcd-store: reads that fail are an outage, and no absence', async (t) => {
  const { store } = await storeOn(t, () => 'cut', () => 'cut')
  await t.rejects(store.range(rangeOf('k')), UNAVAILABLE)
  await t.rejects(store.ranges([rangeOf('k'), rangeOf('l')]), UNAVAILABLE)
})

await t.test('etcd-store: an answer of another form is an outage of a read, and leaves a write unknown, alone and with others', async (t) => {
  const HEADER = { header: { revision: '9' } }
  for (const json of [
    null,
    'text',
    [],
    {},
    { header: {} },
    { header: { revision: 'x' } },
    HEADER,
    { ...HEADER, responses: [{}] },
    { ...HEADER, responses: [{ response_range: {} }] },
    { ...HEADER, responses: [{ response_txn: {} }] },
    { ...HEADER, succeeded: true },
    { ...HEADER, succeeded: true, responses: [{ response_put: {} }, { response_put: {} }] }
  ]) {
    const { store } = await storeOn(t, () => ({ json }), () => answerOf(9))
    await t.rejects(
      store.ranges([rangeOf('k'), rangeOf('l')]),
      { ...UNAVAILABLE, cause: { message: /none of its gateway/ } },
      JSON.stringify(json)
    )
    t.match(await store.changes([put('k'), put('l')]), [{ reason: UNKNOWN }, { reason: UNKNOWN }], JSON.stringify(json))
  }
  for (const json of [null, {}, { header: { revision: 9 } }, { header: { revision: 1.5 } }]) {
    const { store } = await storeOn(t, () => ({ json }), () => ({ json }))
    await t.rejects(store.range(rangeOf('k')), { ...UNAVAILABLE, cause: { message: /none of its gateway/ } })
    await t.rejects(store.change(put('k')), { ...UNKNOWN, cause: { message: /none of its gateway/ } })
  }
})

await t.test('etcd-store: the look for a lost change takes no longer than the timeout, both reads together', async (t) => {
  let answer = (_look: unknown): void => {}
  let looks = 0
  const gateway = {
    write: async () => { throw new EtcdFault('LOST', 'as told') },
    read: async () => {
      looks++
      return await new Promise((resolve) => { answer = resolve })
    }
  }
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => { mock.timers.reset() })
  let outcome: unknown
  void new EtcdStore(gateway as unknown as EtcdGateway, 300).change(put('k')).catch((error: unknown) => {
    outcome = error
  })
  await turn()
  mock.timers.tick(200)
  answer(answerOf(9, { marker: 'other', revision: 9 }).json)
  await turn()
  mock.timers.tick(99)
  await turn()
  t.strictSame([looks, outcome], [2, undefined])
  mock.timers.tick(1)
  await turn()
  t.match(outcome, UNKNOWN)
})

await t.test('etcd-store: ranges that went together answer in their order', async (t) => {
  const { store } = await storeOn(
    t,
    () => ({
      json: {
        header: { revision: '9' },
        responses: [{ response_range: {} }, { response_range: { kvs: [{ key: 'l' }] } }]
      }
    }),
    () => 'cut'
  )
  t.strictSame(await store.ranges([rangeOf('k'), rangeOf('l')]), [{}, { kvs: [{ key: 'l' }] }])
})

await t.test('etcd-store: no error quotes a stored value', async (t) => {
  const { store } = await storeOn(t, () => 'cut', () => 'cut')
  const error = await store.change(put('k')).then(() => undefined, (error: unknown) => error)
  t.notMatch(inspect(error, { depth: 9 }), /m-k/)
})
