import { PGlite } from '@electric-sql/pglite'
import type pg from 'pg'
import t, { type Test } from 'tap'
import type { Expectation } from '../../../lib/storage/adapter.js'
import { postgresAdapter, type PostgresClient } from '../../../lib/storage/postgres/index.js'
import { batchStatement, quotedTable } from '../../../lib/storage/postgres/sql.js'
import { ABSENT, ANY, EXISTS, versionIn } from '../../support/expectations.js'
import { inTransaction, lockNew, lockRows, untilWaiting } from '../../support/postgres/locks.js'
import { ENDLESS, NotingClient, openedAdapter, PATIENT, poolTo } from '../../support/postgres/subjects.js'
import { startPostgres } from '../../support/services/postgres.js'
import { skipWithout } from '../../support/services/programs.js'
import { until } from '../../support/until.js'

const isBatch = (text: string): boolean => text.includes('json_to_recordset')
const isReadOfMany = (text: string): boolean => text.includes('= ANY ($1::text[])')
const isChange = (text: string): boolean => /INSERT|UPDATE/.test(text) && !text.startsWith('CREATE')
const LARGE = 'x'.repeat(70_000)

async function turns (count: number): Promise<void> {
  for (let passed = 0; passed < count; passed++) await new Promise(setImmediate)
}

function barrier () {
  let open = () => {}
  const opened = new Promise<void>((resolve) => { open = resolve })
  return { open, opened }
}

/**
 * An adapter on a client that applies every write. It notes the keys of each batch, and of each lone statement.
 */
function simulated (before: (text: string) => Promise<void> | void) {
  const batches: string[][] = []
  const alone: string[] = []
  const query = async (text: string, values: unknown[] = []) => {
    if (isBatch(text)) {
      const items = JSON.parse(String(values[0])) as Array<{ key: string }>
      batches.push(items.map(({ key }) => key))
      await before(text)
      return { rows: items.map(({ key }) => ({ key, created: true })) }
    }
    if (!isReadOfMany(text)) alone.push(String(values[0]))
    await before(text)
    return { rows: [{ value: JSON.stringify(values[0]), version: 'v', replaced: null, digest: null }] }
  }
  return { adapter: postgresAdapter({ client: { query }, ...PATIENT }), batches, alone }
}

// On every server that speaks the SQL of PostgreSQL.
async function commonCases (t: Test, steady: PostgresClient): Promise<void> {
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

  await t.test('reads of one turn are one statement; a damaged value fails only the reads of its key, as an outage', async (t) => {
    const { adapter, client, table } = await opened()
    for (const key of ['a', 'b']) await adapter.write(key, key, ANY)
    await steady.query(
      `ALTER TABLE ${table} ALTER value TYPE text USING CASE key WHEN 'b' THEN 'a secret' ELSE value::text END`
    )
    const texts = client.texts.length
    const [a, b, again, none] = await Promise.allSettled(['a', 'b', 'a', 'none'].map((key) => adapter.read(key)))
    t.match(
      [a, again, none],
      [{ value: { value: 'a' } }, { value: { value: 'a' } }, { status: 'fulfilled', value: undefined }]
    )
    t.match(b, { reason: { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE' } })
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

await t.test('postgres: batches through PGlite', async (t) => {
  const lite = await PGlite.create()
  t.teardown(async () => { await lite.close() })
  await commonCases(t, lite)
})

await t.test('postgres: the writes of a batch that was rolled back go one by one; a batch of one is the single statement', async (t) => {
  for (const code of ['40001', '40P01', '55P03', '57014']) {
    const { adapter, alone } = simulated((text) => {
      if (isBatch(text) || isReadOfMany(text)) throw Object.assign(new Error('simulated'), { code })
    })
    const keys = ['a', 'b']
    const writes = await Promise.all(keys.map((key) => adapter.write(key, key, ANY)))
    t.strictSame(alone, keys)
    t.match(writes, [{ applied: true, created: true }, { applied: true, created: true }])
    const reads = await Promise.allSettled(keys.map((key) => adapter.read(key)))
    t.match(
      reads,
      code.startsWith('5')
        ? [{ status: 'rejected' }, { status: 'rejected' }]
        : [{ value: { value: 'a' } }, { value: { value: 'b' } }]
    )
  }
  const { adapter, alone } = simulated((text) => {
    if (isBatch(text) || isReadOfMany(text)) throw new Error('a batch of one')
  })
  t.match(await adapter.write('a', 1, ANY), { applied: true, created: true })
  t.match(await adapter.read('a'), { value: 'a' })
  t.strictSame(alone, ['a', 'a'])
})

await t.test('postgres: if the engine does not answer, every call is sent before the first one gives up, however many there are', async (t) => {
  const pending: Array<(error: Error) => void> = []
  const sent: string[] = []
  const isSent = (key: string, times: number): boolean =>
    sent.filter((values) => values.includes(`"${key}"`)).length === times
  let isGone = false
  const query = async (text: string, values: unknown[]) => await new Promise<never>((_resolve, reject) => {
    sent.push(JSON.stringify(values).replaceAll('\\', ''))
    if (isGone) reject(new Error('gone'))
    else pending.push(reject)
  })
  const adapter = postgresAdapter({ client: { query }, ...PATIENT })
  const calls = Array.from({ length: 100 }, (_, index) => [
    adapter.read(`read-${index}`),
    adapter.write(`written-${index % 50}`, 1, ANY)
  ]).flat()
  let settled = 0
  for (const call of calls) void call.catch(() => { settled++ })
  const all = [
    ...Array.from({ length: 100 }, (_, index) => [`read-${index}`, 1] as const),
    ...Array.from({ length: 50 }, (_, index) => [`written-${index}`, 2] as const)
  ]
  await until('each is sent', () => all.every(([key, times]) => isSent(key, times)))
  t.equal(settled, 0)
  isGone = true
  for (const reject of pending) reject(new Error('gone'))
  for (const outcome of await Promise.allSettled(calls)) t.equal(outcome.status, 'rejected')
})

await t.test('postgres: a key that is being written alone is in no batch, whose other keys would wait for it', async (t) => {
  for (const isFirst of [true, false]) {
    const { open, opened } = barrier()
    const { adapter, batches, alone } = simulated(async (text) => { if (!isBatch(text)) await opened })
    const large = isFirst ? [adapter.write('b', LARGE, ANY)] : []
    const small = ['a', 'b', 'c'].map((key) => adapter.write(key, 1, ANY))
    if (!isFirst) large.push(adapter.write('b', LARGE, ANY))
    t.match(await Promise.all([small[0], small[2]]), [{ applied: true }, { applied: true }])
    t.strictSame([batches, alone], [[['a', 'c']], ['b']])
    open()
    t.match(await Promise.all([...large, small[1]]), [{ applied: true }, { applied: true }])
    t.strictSame(alone, ['b', 'b'])
  }
})

await t.test('postgres: a removal takes its turn behind a write of its key: one connection, not two', async (t) => {
  const texts: string[] = []
  const { open, opened } = barrier()
  const query = async (text: string) => {
    texts.push(text)
    await opened
    return { rows: [{ replaced: null, version: 'v' }] }
  }
  const adapter = postgresAdapter({ client: { query }, ...PATIENT })
  const changes = [adapter.write('k', LARGE, ANY), adapter.remove('k', EXISTS)]
  await turns(5)
  t.equal(texts.length, 1)
  open()
  t.match(await Promise.all(changes), [{ applied: true }, { applied: true }])
  t.match(texts, [/INSERT/, /DELETE/])
})

await t.test('postgres: a batch is a named statement, and another one has another name', async (t) => {
  const batches = [
    batchStatement(quotedTable({}), 0),
    batchStatement(quotedTable({}), 50),
    batchStatement(quotedTable({ table: 'others' }), 0)
  ]
  t.ok(batches.every(({ name }) => name !== undefined))
  t.equal(new Set(batches.map(({ name }) => name)).size, 3)
})

await t.test('postgres: a batch bounds its wait on the server, unless the adapter has no bound', async (t) => {
  t.match(batchStatement(quotedTable({}), 2000).text, /set_config\('lock_timeout', '100', true\)/)
  t.match(batchStatement(quotedTable({}), 50).text, /set_config\('lock_timeout', '50', true\)/)
  t.notMatch(batchStatement(quotedTable({}), 0).text, /set_config/)
})

await t.test('postgres: a statement carries 32 items at most, and the next one goes beside it', async (t) => {
  const { open, opened } = barrier()
  const { adapter, batches } = simulated(async () => { await opened })
  const sizes = () => batches.map(({ length }) => length)
  const writing = Array.from({ length: 80 }, (_, index) => adapter.write(String(index), 1, ANY))
  await turns(5)
  t.strictSame(sizes().slice(0, 2), [32, 32], 'before the first one has its answer')
  open()
  t.ok((await Promise.all(writing)).every(({ applied }) => applied))
  t.strictSame(sizes(), [32, 32, 16])
})

await t.test('postgres: new rows are inserted in the order in which rows are locked, by bytes, whatever order the database has', async (t) => {
  const { text } = batchStatement(quotedTable({}), 0)
  t.match(text, /ORDER BY e\."key" FOR NO KEY UPDATE/, 'a column with COLLATE "C"')
  t.match(text, /ORDER BY i\.key COLLATE "C" ON CONFLICT/)
})

await t.test('postgres: batches on a server', { skip: skipWithout('postgres') }, async (t) => {
  const { url } = await startPostgres(t)
  const pool = poolTo(t, url)
  await commonCases(t, pool)

  await t.test('batches that get the same keys in opposite orders do not deadlock, on existing rows and on new ones', async (t) => {
    const { table } = await openedAdapter(pool)
    const keys = Array.from({ length: 32 }, (_, index) => `k${String(index).padStart(2, '0')}`)
    const codes: unknown[] = []
    const adapterOf = () => {
      const client = new NotingClient(pool)
      client.around = async (_text, send) => {
        try {
          return await send()
        } catch (error) {
          codes.push((error as { code?: unknown }).code)
          throw error
        }
      }
      // No bound on locks, which a busy machine would reach: a deadlock is 40P01 all the same.
      return postgresAdapter({ client, table, ...PATIENT, lockTimeout: 0 })
    }
    const [one, two] = [adapterOf(), adapterOf()]
    for (let round = 0; round < 20; round++) {
      if (round % 2 === 0) await pool.query(`DELETE FROM ${table}`)
      const results = await Promise.all([
        ...keys.map((key) => one.write(key, round, ANY)),
        ...keys.toReversed().map((key) => two.write(key, round, ANY))
      ])
      t.ok(results.every(({ applied }) => applied))
    }
    t.strictSame(codes, [])
  })

  await t.test('rows are locked, and new ones inserted, in the order of their keys, whatever order they came in or lie in', async (t) => {
    const { table } = await openedAdapter(pool)
    const { text } = batchStatement(quotedTable({ table }), 0)
    const items = (...keys: string[]) =>
      JSON.stringify(keys.map((key) => ({ key, version: 'mine', value: '1', kind: 'any' })))
    const insert = `INSERT INTO ${table} VALUES ($1, 'theirs', NULL, NULL, '1')`
    // Another transaction is in the way of the key "b". `look` shows what the batch holds while it waits for that.
    async function whileWaiting (way: string, look: (client: pg.PoolClient) => Promise<void>): Promise<void> {
      const end = await inTransaction(t, pool, way)
      const batch = pool.query(text, [items('c', 'b', 'a')])
      const looking = await pool.connect()
      await untilWaiting(looking, table)
      await looking.query("BEGIN; SET LOCAL lock_timeout = '1s'")
      await look(looking)
      await looking.query('ROLLBACK')
      await end('ROLLBACK')
      looking.release()
      t.equal((await batch).rows.length, 3)
    }
    await whileWaiting(lockNew(table, 'b'), async (client) => { await client.query(insert, ['c']) })
    await pool.query(`DELETE FROM ${table}`)
    for (const key of ['c', 'b', 'a']) await pool.query(insert, [key])
    await pool.query(`VACUUM FULL ANALYZE ${table}`)
    // FOR SHARE keeps a row from being changed: the batch waits in order with a lock as strong as that of a change.
    await whileWaiting(`SELECT 1 FROM ${table} WHERE key = 'b' FOR SHARE`, async (client) => {
      t.same((await client.query(`SELECT key FROM ${table} FOR UPDATE SKIP LOCKED`)).rows, [{ key: 'c' }])
    })
  })

  await t.test('a foreign key that refers to a row holds up no batch: a batch takes no stronger lock than a change', async (t) => {
    const { table } = await openedAdapter(pool)
    for (const key of ['a', 'b']) await pool.query(`INSERT INTO ${table} VALUES ($1, 'theirs', NULL, NULL, '1')`, [key])
    await pool.query(`CREATE TABLE ${table}_note (key text COLLATE "C" REFERENCES ${table})`)
    const end = await inTransaction(t, pool, `INSERT INTO ${table}_note VALUES ('b')`)
    const { text } = batchStatement(quotedTable({ table }), 50)
    const items = ['a', 'b'].map((key) => ({ key, version: 'mine', value: '1', kind: 'any' }))
    const { rows } = await pool.query(text, [JSON.stringify(items)])
    await end('ROLLBACK')
    t.equal(rows.length, 2)
  })

  await t.test('a locked row that many write takes one connection, and holds up no write of another key', async (t) => {
    const client = new NotingClient(pool)
    const { adapter, table } = await openedAdapter(client)
    await adapter.write('hot', 'before', ANY)
    const end = await inTransaction(t, pool, lockRows(table))
    let underWay = 0
    let most = 0
    client.around = async (text, send) => {
      if (!/INSERT|UPDATE|DELETE/.test(text)) return await send()
      most = Math.max(most, ++underWay)
      return await send().finally(() => { underWay-- })
    }
    const hot = [
      ...Array.from({ length: 30 }, (_, index) => adapter.write('hot', index, ANY)),
      adapter.write('hot', LARGE, ANY),
      adapter.remove('hot', EXISTS)
    ]
    for (let round = 0; round < 5; round++) {
      const others = await Promise.all(['a', 'b'].map((key) => adapter.write(key + round, 1, ANY)))
      t.match(others, [{ applied: true }, { applied: true }])
    }
    t.ok(most <= 3, String(most))
    await end('ROLLBACK')
    t.ok((await Promise.all(hot)).every(({ applied }) => applied))
  })

  await t.test('a write that waited too long for earlier changes of its key was not applied, and is not applied later', async (t) => {
    const { adapter, table } = await openedAdapter(pool, { lockTimeout: 1500, timeout: 5000 })
    await adapter.write('k', 'before', ANY)
    const end = await inTransaction(t, pool, lockRows(table))
    const outcomes = await Promise.allSettled(
      Array.from({ length: 8 }, (_, index) => adapter.write('k', index, ANY))
    )
    for (const outcome of outcomes) t.match(outcome, { reason: { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE' } })
    t.ok(
      outcomes.some(
        (outcome) => outcome.status === 'rejected' && /earlier changes/.test(String((outcome.reason as Error).cause))
      )
    )
    await end('ROLLBACK')
    await adapter.close!()
    t.match(await adapter.read('k'), { value: 'before' })
  })

  await t.test('statement_timeout of the session ends the write that waits, and not its neighbours', async (t) => {
    const { table } = await openedAdapter(pool)
    const adapter = postgresAdapter({
      client: poolTo(t, url, { options: '-c statement_timeout=1500' }),
      table,
      ...PATIENT,
      lockTimeout: 0
    })
    await adapter.write('locked', 'before', ANY)
    const end = await inTransaction(t, pool, lockRows(table))
    t.match(await Promise.allSettled(['locked', 'a', 'b'].map((key) => adapter.write(key, 1, ANY))), [
      { reason: { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE', cause: { message: /57014/ } } },
      { value: { applied: true } },
      { value: { applied: true } }
    ])
    await end('ROLLBACK')
  })

  await t.test('a locked row holds up the others of its batch for a moment only', async (t) => {
    // The lock is held until the neighbours have their answers: if they waited for it, the test would hang.
    const { adapter, table } = await openedAdapter(pool, ENDLESS)
    await adapter.write('locked', 'before', ANY)
    const end = await inTransaction(t, pool, lockRows(table), lockNew(table, 'new'))
    const stuck = Promise.all([adapter.write('locked', 1, ANY), adapter.write('new', 1, ABSENT)])
    const neighbours = await Promise.all(['a', 'b'].map((key) => adapter.write(key, 1, ANY)))
    t.match(neighbours, [{ applied: true }, { applied: true }])
    await end('ROLLBACK')
    t.match(await stuck, [{ applied: true }, { applied: true }])
  })
})
