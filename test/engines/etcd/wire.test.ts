import t from 'tap'
import {
  allOrNothing,
  deleteIf,
  deletesTogether,
  placeIn,
  putIf,
  putsTogether,
  rangeFrom,
  rangeOf,
  rangesTogether,
  rightsUnder,
  textOf,
  type EtcdCondition,
  type RangeAnswer,
  type Transaction,
  type TransactionAnswer
} from '../../../lib/storage/etcd/wire.js'
import { startEtcd } from '../../support/services/etcd.js'
import { skipWithout } from '../../support/services/programs.js'
import { uniqueName } from '../../support/services/service.js'
import { base64 } from '../../support/etcd/base64.js'
import { gatewayOf } from '../../support/etcd/engine.js'

await t.test('etcd-wire: no read asks for less than linearizable', async (t) => {
  const place = { createRevision: 5n, writes: 1n }
  const requests = [
    ...([place, 'present', 'absent', 'none'] as const).flatMap((condition) => [
      putIf('k', 'v', condition),
      deleteIf('k', condition)
    ]),
    putsTogether([putIf('k', 'v', place)], 'k'),
    allOrNothing([putIf('k', 'v', place)]),
    rangeOf('k'),
    rangeOf('k', 5n),
    rangeFrom('k', 'k', 1),
    rangesTogether([rangeOf('k')]),
    rightsUnder('k')
  ]
  for (const request of requests) t.notMatch(JSON.stringify(request), /serializable/)
})

await t.test('etcd-wire: integers of 64 bits travel as strings, and lose nothing', async (t) => {
  const large = String(2n ** 63n - 1n)
  const place = placeIn({ key: '', create_revision: large, mod_revision: large, version: large })
  t.strictSame(place, { createRevision: BigInt(large), writes: BigInt(large) })
  const key = base64('k')
  t.strictSame(putIf('k', 'v', place).compare, [
    { key, target: 'CREATE', create_revision: large },
    { key, version: large }
  ])
  t.strictSame(putIf('k', 'v', 'present').compare, [{ key, result: 'GREATER', version: '0' }])
  t.strictSame(putIf('k', 'v', 'absent').compare, [{ key, version: '0' }])
  t.equal(rangeOf('k', BigInt(large)).revision, large)
  t.equal(rangeFrom('k', 'k', 7).limit, '7')
})

await t.test('etcd-wire, on the real engine', { skip: skipWithout('etcd') }, async (t) => {
  const { url } = await startEtcd(t)
  const gateway = gatewayOf(t, url)
  const txn = async (transaction: Transaction) => await gateway.write('/v3/kv/txn', transaction) as TransactionAnswer
  const entryOf = async (key: string) => (await gateway.read('/v3/kv/range', rangeOf(key)) as RangeAnswer).kvs?.[0]
  const placeOf = async (key: string) => placeIn((await entryOf(key))!)

  await t.test('each condition holds for what it names and for nothing else', async (t) => {
    for (const [title, changeIf] of [
      ['put', (key: string, condition: EtcdCondition) => putIf(key, 'new', condition)],
      ['delete', deleteIf]
    ] as const) {
      const [there, absent] = [`${uniqueName()}there`, `${uniqueName()}absent`]
      const succeeds = async (key: string, condition: EtcdCondition) =>
        (await txn(changeIf(key, condition))).succeeded === true
      const write = async () => {
        await txn(putIf(there, 'old', 'none'))
      }
      await write()
      await write()
      const { createRevision, writes } = await placeOf(there)
      for (const place of [
        { createRevision, writes: 1n },
        { createRevision, writes: 3n },
        { createRevision: createRevision + 1n, writes },
        { createRevision: createRevision - 1n, writes }
      ]) {
        t.equal(await succeeds(there, place), false, title)
      }
      t.equal(await succeeds(there, 'absent'), false, title)
      t.equal(await succeeds(there, { createRevision, writes }), true, title)
      await write()
      t.equal(await succeeds(there, 'present'), true, title)
      t.equal(await succeeds(absent, 'present'), false, title)
      t.equal(await succeeds(absent, { createRevision, writes: 1n }), false, title)
      t.equal(await succeeds(absent, 'absent'), true, title)
      t.equal(await succeeds(`${absent}2`, 'none'), true, title)
    }
  })

  await t.test('a field name that etcd does not know compares with 0, which is true of every absent key', async (t) => {
    const absent = uniqueName()
    const misspelt = {
      compare: [{ key: base64(absent), target: 'VERSION', result: 'EQUAL', verison: '7' }],
      success: [{ request_put: { key: base64(absent), value: '' } }]
    }
    t.equal((await txn(misspelt as unknown as Transaction)).succeeded, true)
  })

  await t.test('a refusal has the current entity, and an unconditional put the one that it replaced', async (t) => {
    const key = uniqueName()
    await txn(putIf(key, 'value \0 \u{10ffff}', 'absent'))
    const { succeeded, responses } = await txn(putIf(key, 'other', 'absent'))
    const current = responses![0]!.response_range!.kvs![0]!
    t.strictSame(
      [succeeded, textOf(current.key), textOf(current.value!), placeIn(current).writes],
      [undefined, key, 'value \0 \u{10ffff}', 1n]
    )
    const { responses: before } = await txn(putIf(key, 'third', 'none'))
    t.match(before![0]!.response_range!.kvs![0], { value: undefined, version: '1' }, 'without its value')
    t.equal((await entryOf(key))!.version, '2')
  })

  await t.test('places: a put counts up, a removal and a creation begin a life at a newer revision', async (t) => {
    const key = uniqueName()
    await txn(putIf(key, '1', 'none'))
    await txn(putIf(key, '2', 'none'))
    const first = await placeOf(key)
    await txn(deleteIf(key, first))
    t.equal(await entryOf(key), undefined)
    await txn(putIf(key, '3', 'none'))
    const second = await placeOf(key)
    t.strictSame([first.writes, second.writes, second.createRevision > first.createRevision], [2n, 1n, true])
  })

  await t.test('comparisons of nested transactions come before all writes, so a key twice in one is a lost update', async (t) => {
    const key = uniqueName()
    await txn(putIf(key, '1', 'absent'))
    const place = await placeOf(key)
    const { responses } = await txn(putsTogether([putIf(key, '2', place), deleteIf(key, place)], key))
    t.same(
      responses!.map(({ response_txn: nested }) => nested!.succeeded),
      [true, true],
      'both were told that they were applied'
    )
    t.equal(await entryOf(key), undefined, 'and one of them is gone')
  })

  await t.test('changes of different keys in one transaction: each applies or is refused by itself', async (t) => {
    const keys = Array.from({ length: 64 }, () => uniqueName())
    const { header, responses } = await txn(
      putsTogether(
        keys.map((key, index) => putIf(key, 'x', index % 2 === 0 ? 'none' : { createRevision: 1n, writes: 1n })),
        keys[1]!
      )
    )
    const isEven = keys.map((_, index) => index % 2 === 0)
    t.same(responses!.map(({ response_txn: nested }) => nested!.succeeded === true), isEven)
    t.equal((await entryOf(keys[0]!))!.create_revision, header.revision)
    t.equal(await entryOf(keys[1]!), undefined, 'the put that is there for the quota never runs')
    const { responses: removed } = await txn(deletesTogether(keys.map((key) => deleteIf(key, 'present'))))
    t.same(removed!.map(({ response_txn: nested }) => nested!.succeeded === true), isEven)
  })

  await t.test('changes of different keys under all of their conditions: all apply, or none does', async (t) => {
    const keys = Array.from({ length: 64 }, () => uniqueName())
    const together = async (value: string, conditions: readonly EtcdCondition[]) =>
      await txn(allOrNothing(keys.map((key, index) => putIf(key, value, conditions[index] ?? 'none'))))
    const { header, succeeded, responses } = await together('1', [])
    t.strictSame([succeeded, responses!.length], [true, 128], 'each has the entity that it replaces, and its put')
    t.equal((await entryOf(keys[63]!))!.create_revision, header.revision)
    const place = await placeOf(keys[0]!)
    t.match(await together('2', [place, 'absent']), { succeeded: undefined, responses: undefined })
    t.equal(textOf((await entryOf(keys[0]!))!.value!), '1')
    t.match(await together('3', [place, 'present']), { succeeded: true })
    for (const key of keys) t.equal(textOf((await entryOf(key))!.value!), '3')
    t.match(await txn(allOrNothing(keys.map((key) => deleteIf(key, 'present')))), { succeeded: true })
    t.equal(await entryOf(keys[63]!), undefined)
  })

  await t.test('ranges in one transaction answer in their order', async (t) => {
    const key = uniqueName()
    await txn(putIf(key, 'x', 'none'))
    const { responses } = (await gateway.read(
      '/v3/kv/txn',
      rangesTogether([rangeOf(`${key}absent`), rangeOf(key)])
    )) as TransactionAnswer
    t.same(responses!.map(({ response_range: range }) => range!.kvs?.map(({ key }) => textOf(key))), [undefined, [key]])
  })

  await t.test('a range of a prefix ends with it, whatever its last character is, and says whether there is more', async (t) => {
    for (const last of ['/', '\x7f', 'ÿ', '\ud7ff', '\uffff', '\u{10ffff}']) {
      const prefix = `${uniqueName()}${last}`
      const keys = ['', 'a', 'a\uffff', 'a\u{10000}'].map((end) => prefix + end)
      for (const key of [...keys, `${prefix.slice(0, -last.length)}~~\u{10ffff}~`]) await txn(putIf(key, 'x', 'none'))
      const range = async (from: string, limit: number) =>
        (await gateway.read('/v3/kv/range', rangeFrom(from, prefix, limit))) as RangeAnswer
      const { kvs, more } = await range(prefix, 9)
      t.strictSame([kvs!.map(({ key }) => textOf(key)), more], [keys, undefined])
      t.match(await range(`${prefix}a\0`, 1), { kvs: { length: 1 }, more: true })
      t.equal((await range(`${prefix}b`, 9)).kvs, undefined)
    }
  })

  await t.test('a range can be of an earlier revision', async (t) => {
    const key = uniqueName()
    await txn(putIf(key, 'old', 'none'))
    const { mod_revision: revision } = (await entryOf(key))!
    await txn(putIf(key, 'new', 'none'))
    const { kvs } = await gateway.read('/v3/kv/range', rangeOf(key, BigInt(revision))) as RangeAnswer
    t.equal(textOf(kvs![0]!.value!), 'old')
  })

  await t.test('the question for the rights under a prefix changes nothing', async (t) => {
    const prefix = uniqueName()
    const keys = [prefix, `${prefix}a`, `${prefix}\u{10ffff}`]
    for (const key of keys) await txn(putIf(key, 'x', 'none'))
    const { succeeded, responses } = await txn(rightsUnder(prefix))
    t.equal(succeeded, true)
    t.match(
      responses![0]!.response_range!.kvs,
      [{ key: base64(prefix), value: undefined }],
      'and no entity is sent for it'
    )
    for (const key of keys) t.equal((await entryOf(key))?.version, '1')
  })

  await t.test('etcd refuses a transaction in which a key would begin a second life, so a place is of one content', async (t) => {
    const key = base64(uniqueName())
    const put = (value: string) => ({ request_put: { key, value: base64(value) } })
    const removal = { request_delete_range: { key } }
    const nested = (...success: object[]) => ({ request_txn: { success } })
    for (const success of [
      [removal, put('1')],
      [put('1'), removal],
      [nested(removal), nested(put('1'))],
      [nested(put('1')), nested(removal), nested(put('2'))],
      [nested(nested(put('1')), nested(removal)), nested(nested(put('2')))]
    ]) {
      await t.rejects(gateway.write('/v3/kv/txn', { success }), {
        name: 'Error',
        kind: 'WRONG',
        message: /duplicate key/
      })
    }
  })
})
