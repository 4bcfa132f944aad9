import type { Test } from 'tap'
import type { Expectation } from '../../../lib/storage/adapter.js'
import type { PostgresClient } from '../../../lib/storage/postgres/index.js'
import { assertDamaged } from '../damaged.js'
import { ABSENT, ANY, EXISTS, versionIn } from '../expectations.js'
import { NotingClient, openedAdapter } from './subjects.js'

export const isBatch = (text: string): boolean => text.includes('json_to_recordset')
const isChange = (text: string): boolean => /INSERT|UPDATE/.test(text) && !text.startsWith('CREATE')

/** A value that is too long for a batch. */
export const LARGE = 'x'.repeat(70_000)

/** Cases of batches, for every server that speaks the SQL of PostgreSQL. */
export async function batchCases (t: Test, steady: PostgresClient): Promise<void> {
  const opened = async () => {
    const client = new NotingClient(steady)
    return { client, ...await openedAdapter(client) }
  }

  await t.test('writes of one turn are one statement, each with its own outcome; the refused ones share one read', async (t) => {
    const { adapter, client } = await opened()
    const versions: string[] = []
    for (const key of ['b', 'c', 'd', 'e']) {
      const result = await adapter.write(key, 'before', ANY, { digest: 'old' })
      versions.push(result.applied ? result.version : '')
    }
    const writes: Array<[string, Expectation]> = [
      ['a', ABSENT],
      ['b', ABSENT],
      ['c', EXISTS],
      ['d', versionIn('other', versions[2]!)],
      ['e', versionIn('other')],
      ['f', EXISTS],
      ['g', versionIn('none')],
      ['h', ANY],
      ['i', versionIn('\0')]
    ]
    const texts = client.texts.length
    const results = await Promise.all(
      writes.map(([key, expectation]) => adapter.write(key, `after ${key}`, expectation, { digest: key }))
    )
    t.match(results, [
      { applied: true, created: true },
      { applied: false, current: { value: 'before', version: versions[0], digest: 'old' } },
      { applied: true, created: false },
      { applied: true, created: false },
      { applied: false, current: { value: 'before' } },
      { applied: false, current: undefined },
      { applied: false, current: undefined },
      { applied: true, created: true },
      { applied: false, current: undefined }
    ])
    t.equal(client.texts.length - texts, 2)
    t.match(await adapter.read('c'), { value: 'after c', replaced: versions[1], digest: 'c' })
    const { items } = await adapter.list('')
    t.strictSame(
      items.map(({ key, value }) => [key, value]),
      [
        ['a', 'after a'],
        ['b', 'before'],
        ['c', 'after c'],
        ['d', 'after d'],
        ['e', 'before'],
        ['h', 'after h']
      ]
    )
    for (const [index, result] of results.entries()) {
      const [key] = writes[index]!
      if (result.applied) t.equal(items.find((item) => item.key === key)?.version, result.version)
    }
  })

  await t.test('two writes of one key are never in one batch: both are acknowledged, one on top of the other', async (t) => {
    const { adapter } = await opened()
    await adapter.write('k', 'before', ANY)
    const results = await Promise.all([
      adapter.write('other', 1, ANY),
      adapter.write('k', 1, EXISTS),
      adapter.write('k', 2, EXISTS),
      adapter.write('k', 3, EXISTS)
    ])
    t.ok(results.every(({ applied }) => applied))
    const versions = results.slice(1).map((result) => result.applied && result.version)
    t.ok(versions.includes((await adapter.read('k'))!.replaced!))
  })

  await t.test('a write that its batch did not match and the read does is tried again alone, and not in a batch', async (t) => {
    const { adapter, client, table } = await opened()
    const keys = Array.from({ length: 24 }, (_, index) => `k${index}`)
    const put = `INSERT INTO ${table} SELECT 'k' || n, 'theirs', NULL, NULL, '0' FROM generate_series(0, 23) AS n`
    await steady.query(put)
    client.around = async (text, send) => {
      if (!isBatch(text)) return await send()
      await steady.query(`DELETE FROM ${table}`)
      const answer = await send()
      await steady.query(put)
      return answer
    }
    const results = await Promise.all(keys.map((key) => adapter.write(key, 1, EXISTS)))
    t.ok(results.every(({ applied }) => applied))
    t.equal(client.texts.filter(isBatch).length, 1)
  })

  await t.test('every value comes back deep-equal from a batch, NUL and lone surrogates too', async (t) => {
    const { adapter, client } = await opened()
    const values = [
      '\0',
      'a\ud800',
      '\\u0000',
      { '\udfff"': ['\n\\', 1e308, null] },
      'null',
      null,
      "it's",
      '$1',
      '\u{10ffff}'
    ]
    await Promise.all(values.map((value, index) => adapter.write(`k${index}`, value, ABSENT)))
    t.equal(
      client.texts.filter((text) => /INSERT/.test(text)).length,
      1,
      'all of them in the batch, none of them alone'
    )
    const stored = await Promise.all(values.map((_, index) => adapter.read(`k${index}`)))
    t.strictSame(stored.map((entity) => entity?.value), values)
  })

  await t.test('each value stands beside its own row: in a full batch and with one more, between refused and stopped ones, with any key', async (t) => {
    for (const count of [31, 32, 33]) {
      const { adapter, client } = await opened()
      const odd = ['"', '\\', '{a,b}', 'NULL', '\n', '$1', '\u{10ffff}', '__proto__']
      const keys = Array.from({ length: count }, (_, index) => `${odd[index] ?? 'k'}${index}`)
      const before = await Promise.all(keys.map((key) => adapter.write(key, ['before', key], ABSENT)))
      t.ok(before.every(({ applied }) => applied))
      t.equal(client.texts.filter(isBatch).length, 1)
      t.equal(client.texts.filter((text) => /INSERT/.test(text)).length, count > 32 ? 2 : 1, 'the 33rd goes alone')
      const stopping = new AbortController()
      const changes = keys.map((key, index) => adapter.write(
        key,
        ['after', key],
        index % 3 === 1 ? versionIn('other') : EXISTS,
        index % 3 === 2 ? { signal: stopping.signal } : {}
      ))
      stopping.abort()
      const outcomes = await Promise.allSettled(changes)
      for (const [index, key] of keys.entries()) {
        const stored = { value: [index % 3 === 0 ? 'after' : 'before', key] }
        const expected = [
          { value: { applied: true } },
          { value: { applied: false, current: stored } },
          { status: 'rejected' }
        ]
        t.match(outcomes[index], expected[index % 3])
        t.match(await adapter.read(key), stored)
      }
    }
  })

  await t.test('a row that the table refuses fails alone, with 422, and the others are stored', async (t) => {
    const { adapter, table } = await opened()
    await steady.query(`ALTER TABLE ${table} ADD CONSTRAINT good CHECK (key <> 'bad')`)
    const [a, bad, b] = await Promise.allSettled(['a', 'bad', 'b'].map((key) => adapter.write(key, key, ANY)))
    t.match([a, b], [{ value: { applied: true } }, { value: { applied: true } }])
    t.match(bad, { reason: { code: 'FST_IF_MATCH_INVALID_VALUE' } })
    t.strictSame((await adapter.list('')).items.map(({ key }) => key), ['a', 'b'])
  })

  await t.test('if the answer to a batch is lost, each write is proven or unknown, and none is sent again', async (t) => {
    const { adapter, client, table } = await opened()
    client.around = async (text, send) => {
      if (!isBatch(text)) return await send()
      await send()
      await steady.query(`DELETE FROM ${table} WHERE key = 'c'`)
      throw new Error('Connection terminated unexpectedly')
    }
    const [a, b, c] = await Promise.allSettled(['a', 'b', 'c'].map((key) => adapter.write(key, key, ABSENT)))
    t.match([a, b], [{ value: { applied: true, created: true } }, { value: { applied: true, created: true } }])
    t.match(c, { reason: { code: 'FST_IF_MATCH_OUTCOME_UNKNOWN' } })
    t.equal(client.texts.filter(isChange).length, 1)
  })

  await t.test('in an outage each caller gets its own error, and nothing is sent again', async (t) => {
    const { adapter, client } = await opened()
    client.around = async () => { throw Object.assign(new Error('refused'), { syscall: 'connect' }) }
    for (const calls of [
      [adapter.write('a', 1, ANY), adapter.write('b', 1, ANY)],
      [adapter.read('a'), adapter.read('b')]
    ]) {
      const texts = client.texts.length
      const [a, b] = (await Promise.allSettled(calls)) as [PromiseRejectedResult, PromiseRejectedResult]
      for (const { reason } of [a, b]) t.match(reason, { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE' })
      t.not(a.reason, b.reason)
      t.equal(client.texts.length - texts, 1)
    }
  })

  await t.test('reads of one turn are one statement; a damaged value fails where it is asked for alone, as a fault of the storage', async (t) => {
    const { adapter, client, table } = await opened()
    for (const key of ['a', 'b']) await adapter.write(key, key, ANY)
    await steady.query(
      `ALTER TABLE ${table} ALTER value TYPE text USING CASE key WHEN 'b' THEN 'a secret' ELSE value::text END`
    )
    const texts = client.texts.length
    const [a, b, again, none] = await Promise.all(['a', 'b', 'a', 'none'].map((key) => adapter.read(key)))
    t.match([a, again], [{ value: 'a' }, { value: 'a' }])
    t.equal(none, undefined)
    assertDamaged(t, b, /not JSON/)
    t.equal(client.texts.length - texts, 1)
  })

  await t.test('a request that ends while its write waits for its turn is not written, and its neighbours are', async (t) => {
    const { adapter } = await opened()
    const [gone, lost] = [new AbortController(), new AbortController()]
    const writing = Promise.allSettled([
      adapter.write('gone', 1, ANY, { signal: gone.signal }),
      adapter.write('there', 1, ANY),
      adapter.write('lost', 1, ANY, { signal: lost.signal })
    ])
    gone.abort()
    lost.abort()
    t.match(await writing, [{ status: 'rejected' }, { status: 'fulfilled' }, { status: 'rejected' }])
    const all = new AbortController()
    const nothing = Promise.allSettled(['x', 'y'].map((key) => adapter.write(key, 1, ANY, { signal: all.signal })))
    all.abort()
    t.match(await nothing, [{ status: 'rejected' }, { status: 'rejected' }])
    t.strictSame((await adapter.list('')).items.map(({ key }) => key), ['there'])
  })

  await t.test('a large value goes alone; close waits for operations that are under way', async (t) => {
    const { adapter, client } = await opened()
    const writing = Promise.all([
      adapter.write('a', LARGE, ANY),
      adapter.write('b', 1, ANY),
      adapter.write('c', 1, ANY)
    ])
    const removing = adapter.remove('none', EXISTS)
    let settled = 0
    for (const operation of [writing, removing]) void operation.then(() => { settled++ })
    await adapter.close!()
    await new Promise(setImmediate)
    t.equal(settled, 2)
    t.equal(client.texts.filter(isBatch).length, 1)
    t.equal(client.texts.filter((text) => text.includes('INSERT')).length, 2, 'the large one is not in it')
    t.strictSame((await writing).map(({ applied }) => applied), [true, true, true])
  })
}
