import { PGlite } from '@electric-sql/pglite'
import type pg from 'pg'
import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { Expectation } from '../../../lib/storage/adapter.js'
import { KeyTurns } from '../../../lib/storage/kit/key-turns.js'
import {
  batcherOf,
  batchStatement,
  readTogether,
  writeTogether,
  type Then
} from '../../../lib/storage/postgres/batch.js'
import { postgresAdapter, type PostgresClient } from '../../../lib/storage/postgres/index.js'
import { PostgresSession } from '../../../lib/storage/postgres/session.js'
import { quotedTable, statementsOn } from '../../../lib/storage/postgres/sql.js'
import type { Write } from '../../../lib/storage/postgres/table.js'
import { startPostgres } from '../../support/services/postgres.js'
import { skipWithout } from '../../support/services/programs.js'
import { NotingClient, openedAdapter, PATIENT, poolTo } from '../../support/postgres/subjects.js'

const ANY = { kind: 'any' } as const
const EXISTS = { kind: 'exists' } as const
const ABSENT = { kind: 'absent' } as const
const versionIn = (...versions: string[]) => ({ kind: 'version', versions }) as const
const settled = async <R>(outcomes: Promise<Array<Then<R>>>) =>
  await Promise.allSettled((await outcomes).map((outcome) => outcome()))
const writeOf = (key: string): Write => ({ key, version: key, json: '1', expectation: ANY, options: undefined })
const APPLIED = { applied: true, version: 'v', created: true } as const
const isBatch = (text: string): boolean => text.includes('json_to_recordset')

// What is the same for every engine that speaks SQL as PostgreSQL does.
async function commonCases (t: Test, steady: PostgresClient): Promise<void> {
  const opened = async () => {
    const client = new NotingClient(steady)
    return { client, ...await openedAdapter(client) }
  }

  await t.test('writes of one turn are one statement, each with an outcome of its own; refused ones are looked for in one more (E24)', async (t) => {
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
    for (const [at, result] of results.entries()) { if (result.applied) t.equal(items.find(({ key }) => key === writes[at]![0])?.version, result.version) }
  })

  await t.test('two writes of one key are never in one batch: both are acknowledged, one on top of the other (E25)', async (t) => {
    const { adapter, client } = await opened()
    client.around = async (text, send) => {
      await delay(20)
      return await send()
    }
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

  await t.test('what a batch did not find and the look does is written again alone, and not in a batch (E1, E24)', async (t) => {
    const { adapter, client, table } = await opened()
    const keys = Array.from({ length: 24 }, (_, at) => `k${at}`)
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

  await t.test('every value comes back deep-equal from a batch, NUL and lone surrogates too (E28)', async (t) => {
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
    await Promise.all(values.map((value, at) => adapter.write(`k${at}`, value, ABSENT)))
    t.equal(
      client.texts.filter((text) => /INSERT/.test(text)).length,
      1,
      'all of them in the batch, none of them alone'
    )
    t.strictSame(
      (await Promise.all(values.map((_, at) => adapter.read(`k${at}`)))).map((stored) => stored?.value),
      values
    )
  })

  await t.test('a row that the table refuses fails alone, with 422, and the others are stored (E28)', async (t) => {
    const { adapter, table } = await opened()
    await steady.query(`ALTER TABLE ${table} ADD CONSTRAINT good CHECK (key <> 'bad')`)
    const [a, bad, b] = await Promise.allSettled(['a', 'bad', 'b'].map((key) => adapter.write(key, key, ANY)))
    t.match([a, b], [{ value: { applied: true } }, { value: { applied: true } }])
    t.match(bad, { reason: { code: 'FST_IF_MATCH_INVALID_VALUE' } })
    t.strictSame((await adapter.list('')).items.map(({ key }) => key), ['a', 'b'])
  })

  await t.test('an answer to a batch that was lost: each write is proven or unknown, and none is sent again (E2, E3)', async (t) => {
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
    t.equal(client.texts.filter((text) => /INSERT|UPDATE/.test(text) && !text.startsWith('CREATE')).length, 1)
  })

  await t.test('an outage is told to each, with an error of its own, and nothing is sent again', async (t) => {
    const { adapter, client } = await opened()
    client.around = async () => { throw Object.assign(new Error('refused'), { syscall: 'connect' }) }
    for (const calls of [
      [adapter.write('a', 1, ANY), adapter.write('b', 1, ANY)],
      [adapter.read('a'), adapter.read('b')]
    ]) {
      const texts = client.texts.length
      const [a, b] = (await Promise.allSettled(calls)) as [PromiseRejectedResult, PromiseRejectedResult]
      t.match(
        [a, b],
        [
          { reason: { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE' } },
          { reason: { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE' } }
        ]
      )
      t.not(a.reason, b.reason)
      t.equal(client.texts.length - texts, 1)
    }
  })

  await t.test('reads of one turn are one statement; a damaged value is an outage for whoever asked for it alone', async (t) => {
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

  await t.test('a large value goes alone; close waits for what is under way', async (t) => {
    const { adapter, client } = await opened()
    const writing = Promise.all([
      adapter.write('a', 'x'.repeat(70_000), ANY),
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

await t.test('postgres: a batch that was rolled back for others is done again one by one; a batch of one is a single statement (E23, E26)', async (t) => {
  for (const code of ['40001', '40P01', '55P03', '57014']) {
    const session = new PostgresSession(
      {
        query: async () => {
          throw Object.assign(new Error('simulated'), { code })
        }
      },
      { timeout: 1000 }
    )
    const alone: string[] = []
    const results = await settled(
      writeTogether(
        session,
        { text: '' },
        ['a', 'b'].map(writeOf),
        new KeyTurns(),
        async ({ key }) => {
          alone.push(key)
          return APPLIED
        },
        async () => undefined
      )
    )
    t.strictSame(alone, ['a', 'b'])
    t.match(results, [{ value: APPLIED }, { value: APPLIED }])
    const reads = await settled(
      readTogether(
        session,
        { text: '' },
        [
          { key: 'a', options: undefined },
          { key: 'b', options: undefined }
        ],
        async ({ key }) => ({ value: key, version: key })
      )
    )
    t.match(
      reads,
      code.startsWith('5')
        ? [{ status: 'rejected' }, { status: 'rejected' }]
        : [{ value: { value: 'a' } }, { value: { value: 'b' } }]
    )
  }
  const unused = new PostgresSession({ query: async () => { throw new Error('not asked') } }, { timeout: 1000 })
  t.match(
    await settled(
      writeTogether(
        unused,
        { text: '' },
        [writeOf('a')],
        new KeyTurns(),
        async () => APPLIED,
        async () => undefined
      )
    ),
    [{ value: APPLIED }]
  )
  t.match(
    await settled(
      readTogether(
        unused,
        statementsOn(quotedTable({}), 0).read,
        [{ key: 'a', options: undefined }],
        async () => undefined
      )
    ),
    [{ status: 'fulfilled' }]
  )
})

await t.test('postgres: with an engine that does not answer all are on their way before the first one gives up, however many ask: an outage for all in the same time (E32)', async (t) => {
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
  const calls = Array.from({ length: 100 }, (_, at) => [
    adapter.read(`read-${at}`),
    adapter.write(`written-${at % 50}`, 1, ANY)
  ]).flat()
  let settled = 0
  for (const call of calls) void call.catch(() => { settled++ })
  const all = [
    ...Array.from({ length: 100 }, (_, at) => [`read-${at}`, 1] as const),
    ...Array.from({ length: 50 }, (_, at) => [`written-${at}`, 2] as const)
  ]
  for (let attempt = 0; attempt < 2000 && !all.every(([key, times]) => isSent(key, times)); attempt++) await delay(10)
  t.strictSame(all.filter(([key, times]) => !isSent(key, times)), [])
  t.equal(settled, 0)
  isGone = true
  for (const reject of pending) reject(new Error('gone'))
  for (const outcome of await Promise.allSettled(calls)) t.equal(outcome.status, 'rejected')
})

await t.test('postgres: what is being written alone is in no batch, whose other keys would wait for it (E31)', async (t) => {
  const turns = new KeyTurns()
  let open = () => {}
  const under = turns.take(
    'b',
    PATIENT.timeout,
    async () => {
      await new Promise<void>((resolve) => {
        open = resolve
      })
    },
    () => new Error('late')
  )
  const batches: string[][] = []
  const session = new PostgresSession({
    query: async (_text, values) => {
      const keys = (JSON.parse(String(values![0])) as Array<{ key: string }>).map(({ key }) => key)
      batches.push(keys)
      return { rows: keys.map((key) => ({ key, created: true })) }
    }
  }, PATIENT)
  const alone: string[] = []
  const results = await settled(
    writeTogether(
      session,
      { text: '' },
      ['a', 'b', 'c'].map(writeOf),
      turns,
      async ({ key }) => {
        alone.push(key)
        return APPLIED
      },
      async () => undefined
    )
  )
  t.strictSame([batches, alone], [[['a', 'c']], ['b']])
  t.match(results, [{ value: { version: 'a' } }, { value: APPLIED }, { value: { version: 'c' } }])
  open()
  await under
})

await t.test('postgres: a removal takes its turn behind a write of its key, too: one connection, not two (E31)', async (t) => {
  const texts: string[] = []
  let open = () => {}
  const opened = new Promise<void>((resolve) => { open = resolve })
  const query = async (text: string) => {
    texts.push(text)
    await opened
    return { rows: [{ replaced: null, version: 'v' }] }
  }
  const adapter = postgresAdapter({ client: { query }, ...PATIENT })
  const changes = [adapter.write('k', 'x'.repeat(70_000), ANY), adapter.remove('k', EXISTS)]
  for (let passed = 0; passed < 5; passed++) await new Promise(setImmediate)
  t.equal(texts.length, 1)
  open()
  t.match(await Promise.all(changes), [{ applied: true }, { applied: true }])
  t.match(texts, [/INSERT/, /DELETE/])
})

await t.test('postgres: a batch is a named statement, and another one has another name (E24, E27)', async (t) => {
  const batches = [
    batchStatement(quotedTable({}), 0),
    batchStatement(quotedTable({}), 50),
    batchStatement(quotedTable({ table: 'others' }), 0)
  ]
  t.ok(batches.every(({ name }) => name !== undefined))
  t.equal(new Set(batches.map(({ name }) => name)).size, 3)
})

await t.test('postgres: a batch bounds its wait on the server, unless the adapter has no bound (E31)', async (t) => {
  t.match(batchStatement(quotedTable({}), 2000).text, /set_config\('lock_timeout', '100', true\)/)
  t.match(batchStatement(quotedTable({}), 50).text, /set_config\('lock_timeout', '50', true\)/)
  t.notMatch(batchStatement(quotedTable({}), 0).text, /set_config/)
})

await t.test('postgres: a statement carries 32 items at most, and the next one goes beside it (E24)', async (t) => {
  const sizes: number[] = []
  let open = () => {}
  const opened = new Promise<void>((resolve) => { open = resolve })
  const batcher = batcherOf(async (items) => {
    sizes.push(items.length)
    await opened
    return items.map(() => async () => 'done')
  })
  const adding = Array.from({ length: 80 }, async (_, at) => await (await batcher.add({ key: String(at) }))())
  for (let passed = 0; passed < 5; passed++) await new Promise(setImmediate)
  t.strictSame(sizes.slice(0, 2), [32, 32], 'before the first one has its answer')
  open()
  await Promise.all(adding)
  t.strictSame(sizes, [32, 32, 16])
})

await t.test('postgres: new rows are inserted in the order in which rows are locked, that of bytes, whatever order the database has (E5, E24)', async (t) => {
  const { text } = batchStatement(quotedTable({}), 0)
  t.match(text, /ORDER BY e\."key" FOR NO KEY UPDATE/, 'a column with COLLATE "C"')
  t.match(text, /ORDER BY i\.key COLLATE "C" ON CONFLICT/)
})

await t.test('postgres: batches on a server', { skip: skipWithout('postgres') }, async (t) => {
  const { url } = await startPostgres(t)
  const pool = poolTo(t, url)
  await commonCases(t, pool)

  await t.test('batches that take the same keys in opposite orders do not deadlock, on rows that are there and on new ones (E24)', async (t) => {
    const { table } = await openedAdapter(pool)
    const keys = Array.from({ length: 32 }, (_, at) => `k${String(at).padStart(2, '0')}`)
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
      // Without a bound, or a busy machine would reach it: a deadlock is 40P01 all the same.
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

  await t.test('rows are locked, and new ones inserted, in the order of their keys, however they came and wherever they are (E24)', async (t) => {
    const { table } = await openedAdapter(pool)
    const { text } = batchStatement(quotedTable({ table }), 0)
    const items = (...keys: string[]) =>
      JSON.stringify(keys.map((key) => ({ key, version: 'mine', value: '1', kind: 'any' })))
    const insert = `INSERT INTO ${table} VALUES ($1, 'theirs', NULL, NULL, '1')`
    // In the way of the row or the new row "b".
    async function whileWaiting (way: string, look: (client: pg.PoolClient) => Promise<void>): Promise<void> {
      const [other, looking] = [await pool.connect(), await pool.connect()]
      await other.query('BEGIN')
      await other.query(way, ['b'])
      const batch = pool.query(text, [items('c', 'b', 'a')])
      for (let waiting = 0; waiting === 0;) {
        waiting = (
          await looking.query(
            "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%' || $1 || '%'",
            [table]
          )
        ).rows.length
      }
      await looking.query("BEGIN; SET LOCAL lock_timeout = '1s'")
      await look(looking)
      await looking.query('ROLLBACK')
      await other.query('ROLLBACK')
      other.release()
      looking.release()
      t.equal((await batch).rows.length, 3)
    }
    await whileWaiting(insert, async (client) => { await client.query(insert, ['c']) })
    await pool.query(`DELETE FROM ${table}`)
    for (const key of ['c', 'b', 'a']) await pool.query(insert, [key])
    await pool.query(`VACUUM FULL ANALYZE ${table}`)
    // What only reads the row keeps it from being changed: no weaker lock than that of a change is waited for in order.
    await whileWaiting(`SELECT 1 FROM ${table} WHERE key = $1 FOR SHARE`, async (client) => {
      t.same((await client.query(`SELECT key FROM ${table} FOR UPDATE SKIP LOCKED`)).rows, [{ key: 'c' }])
    })
  })

  await t.test('a foreign key that refers to a row holds no batch up: no stronger lock is taken than that of a change (E24)', async (t) => {
    const { table } = await openedAdapter(pool)
    for (const key of ['a', 'b']) await pool.query(`INSERT INTO ${table} VALUES ($1, 'theirs', NULL, NULL, '1')`, [key])
    await pool.query(`CREATE TABLE ${table}_note (key text COLLATE "C" REFERENCES ${table})`)
    const other = await pool.connect()
    await other.query('BEGIN')
    await other.query(`INSERT INTO ${table}_note VALUES ('b')`)
    const { text } = batchStatement(quotedTable({ table }), 50)
    const { rows } = await pool
      .query(text, [JSON.stringify(['a', 'b'].map((key) => ({ key, version: 'mine', value: '1', kind: 'any' })))])
      .finally(async () => {
        await other.query('ROLLBACK')
        other.release()
      })
    t.equal(rows.length, 2)
  })

  await t.test('a row that many write and somebody has locked takes one connection, and holds no write of another key up', async (t) => {
    const client = new NotingClient(pool)
    const { adapter, table } = await openedAdapter(client)
    await adapter.write('hot', 'before', ANY)
    const other = await pool.connect()
    await other.query('BEGIN')
    await other.query(`UPDATE ${table} SET digest = 'locked'`)
    let underWay = 0
    let most = 0
    client.around = async (text, send) => {
      if (!/INSERT|UPDATE|DELETE/.test(text)) return await send()
      most = Math.max(most, ++underWay)
      return await send().finally(() => { underWay-- })
    }
    const hot = [
      ...Array.from({ length: 30 }, (_, at) => adapter.write('hot', at, ANY)),
      adapter.write('hot', 'x'.repeat(70_000), ANY),
      adapter.remove('hot', EXISTS)
    ]
    for (let at = 0; at < 5; at++) {
      t.match(await Promise.all(['a', 'b'].map((key) => adapter.write(key + at, 1, ANY))), [
        { applied: true },
        { applied: true }
      ])
    }
    t.ok(most <= 3, String(most))
    await other.query('ROLLBACK')
    other.release()
    t.ok((await Promise.all(hot)).every(({ applied }) => applied))
  })

  await t.test('who waits for too long for earlier changes of the key was not applied, and is not applied later (E31)', async (t) => {
    const { adapter, table } = await openedAdapter(pool, { lockTimeout: 1500, timeout: 5000 })
    await adapter.write('k', 'before', ANY)
    const other = await pool.connect()
    await other.query('BEGIN')
    await other.query(`UPDATE ${table} SET digest = 'locked'`)
    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, (_, at) => adapter.write('k', at, ANY)))
    for (const outcome of outcomes) t.match(outcome, { reason: { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE' } })
    t.ok(
      outcomes.some(
        (outcome) => outcome.status === 'rejected' && /earlier changes/.test(String((outcome.reason as Error).cause))
      )
    )
    await other.query('ROLLBACK')
    other.release()
    await adapter.close!()
    t.match(await adapter.read('k'), { value: 'before' })
  })

  await t.test('statement_timeout of the session ends the write that waits, and not its neighbours (E30)', async (t) => {
    const { table } = await openedAdapter(pool)
    const adapter = postgresAdapter({
      client: poolTo(t, url, { options: '-c statement_timeout=1500' }),
      table,
      ...PATIENT,
      lockTimeout: 0
    })
    await adapter.write('locked', 'before', ANY)
    const other = await pool.connect()
    await other.query('BEGIN')
    await other.query(`UPDATE ${table} SET digest = 'locked'`)
    t.match(await Promise.allSettled(['locked', 'a', 'b'].map((key) => adapter.write(key, 1, ANY))), [
      { reason: { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE', cause: { message: /57014/ } } },
      { value: { applied: true } },
      { value: { applied: true } }
    ])
    await other.query('ROLLBACK')
    other.release()
  })

  await t.test('a row that somebody has locked holds the others of its batch up for a moment only (E31)', async (t) => {
    const { adapter, table } = await openedAdapter(pool)
    await adapter.write('locked', 'before', ANY)
    const other = await pool.connect()
    await other.query('BEGIN')
    await other.query(`UPDATE ${table} SET digest = 'locked'`)
    await other.query(`INSERT INTO ${table} VALUES ('new', 'theirs', NULL, NULL, '1')`)
    const stuck = Promise.allSettled([adapter.write('locked', 1, ANY), adapter.write('new', 1, ABSENT)])
    const neighbours = Promise.all(['a', 'b'].map((key) => adapter.write(key, 1, ANY)))
    // They waited for as long as those would, if not for a moment only.
    t.match(await Promise.race([neighbours, delay(PATIENT.lockTimeout * 0.8, 'they wait', { ref: false })]), [
      { applied: true },
      { applied: true }
    ])
    await other.query('ROLLBACK')
    other.release()
    t.match(await stuck, [{ value: { applied: true } }, { value: { applied: true } }])
  })
})
