import type pg from 'pg'
import t from 'tap'
import type { Written } from '../../../lib/storage/adapter.js'
import { postgresAdapter } from '../../../lib/storage/postgres/index.js'
import { batchStatement, quotedTable } from '../../../lib/storage/postgres/sql.js'
import { ABSENT, ANY, EXISTS } from '../../support/expectations.js'
import { batchCases, isBatch, LARGE } from '../../support/postgres/batch-cases.js'
import { inTransaction, lockNew, lockRows, untilWaiting } from '../../support/postgres/locks.js'
import { ENDLESS, NotingClient, openedAdapter, PATIENT, poolTo } from '../../support/postgres/subjects.js'
import { startPostgres } from '../../support/services/postgres.js'
import { skipWithout } from '../../support/services/programs.js'
import { until } from '../../support/until.js'

const isReadOfMany = (text: string): boolean => text.includes('= ANY ($1::text[])')

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

await t.test('postgres: a read that waited behind others for longer than the timeout, or was stopped meanwhile, is not sent', async (t) => {
  let sent = 0
  let alone = 0
  const query = async (text: string) => {
    sent++
    if (!isReadOfMany(text)) alone++
    return await new Promise<never>(() => {})
  }
  const adapter = postgresAdapter({ client: { query }, timeout: 300, lockTimeout: 0 })
  let isOver = false
  // The last one is left alone.
  const reads = Array.from({ length: 1025 }, (_, index) => adapter.read(`k${index}`, { isOver: () => isOver }))
  for (const outcome of await Promise.allSettled(reads)) {
    t.match(outcome, { status: 'rejected', reason: { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE' } })
  }
  t.ok(sent <= 10, `${sent}: two statements at once and each 100 ms, until the timeout`)
  t.equal(alone, 0)
  const late = Array.from({ length: 96 }, (_, index) => adapter.read(`k${index}`, { isOver: () => isOver }))
  await turns(5)
  isOver = true
  const outcomes = await Promise.allSettled(late)
  t.match(outcomes.at(-1), { status: 'rejected', reason: { code: 'FST_IF_MATCH_LATE_WRITE' } })
})

await t.test('postgres: the parameters of a batch are whole until the answer, and the array is empty after it', async (t) => {
  const seen: unknown[][] = []
  const { open, opened } = barrier()
  const query = async (_text: string, values: unknown[] = []) => {
    seen.push(values)
    await opened
    const items = JSON.parse(String(values[0])) as Array<{ key: string }>
    return { rows: items.map(({ key }) => ({ key, created: true })) }
  }
  const adapter = postgresAdapter({ client: { query }, ...PATIENT })
  const writes = ['a', 'b'].map((key) => adapter.write(key, { key }, ANY))
  await turns(5)
  t.strictSame(seen.map((values) => values.slice(1, 3)), [['{"key":"a"}', '{"key":"b"}']])
  open()
  t.match(await Promise.all(writes), [{ applied: true, created: true }, { applied: true, created: true }])
  t.strictSame(seen, [[]], 'V8 may have put it among the old objects, where it would keep the texts')
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
    batchStatement(quotedTable({}), 0, 32),
    batchStatement(quotedTable({}), 50, 32),
    batchStatement(quotedTable({ table: 'others' }), 0, 32)
  ]
  t.ok(batches.every(({ name }) => name !== undefined))
  t.equal(new Set(batches.map(({ name }) => name)).size, 3)
})

await t.test('postgres: a batch bounds its wait on the server, unless the adapter has no bound', async (t) => {
  t.match(batchStatement(quotedTable({}), 2000, 32).text, /set_config\('lock_timeout', '100', true\)/)
  t.match(batchStatement(quotedTable({}), 50, 32).text, /set_config\('lock_timeout', '50', true\)/)
  t.notMatch(batchStatement(quotedTable({}), 0, 32).text, /set_config/)
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
  const { text } = batchStatement(quotedTable({}), 0, 32)
  t.match(text, /ORDER BY e\."key" FOR NO KEY UPDATE/, 'a column with COLLATE "C"')
  t.match(text, /ORDER BY i\.key COLLATE "C" ON CONFLICT/)
})

await t.test('postgres: batches on a server', { skip: skipWithout('postgres') }, async (t) => {
  const { url } = await startPostgres(t)
  const pool = poolTo(t, url)
  await batchCases(t, pool)

  await t.test('reads of one turn are one statement, and the server sends no value that none of them needs', async (t) => {
    const { adapter: writer, table } = await openedAdapter(pool)
    const versions: string[] = []
    for (const key of ['a', 'b', 'c']) versions.push((await writer.write(key, { key }, ANY) as Written).version)
    const [a, b, c] = versions as [string, string, string]
    const rows: Array<Record<string, unknown>> = []
    const texts: string[] = []
    const client = {
      async query (text: string, values: unknown[]) {
        const answer = await pool.query(text, values)
        texts.push(text)
        rows.push(...answer.rows)
        return answer
      }
    }
    const adapter = postgresAdapter({ client, table })
    const read = await Promise.all([
      adapter.read('a', { unless: '*' }),
      adapter.read('b', { unless: ['other', b] }),
      adapter.read('c', { unless: [b, '\0'] }),
      adapter.read('absent', { unless: '*' }),
      adapter.read('a', { unless: '*' })
    ])
    const without = (version: string) => ({ version, replaced: undefined, digest: undefined })
    t.strictSame([...read.slice(0, 2), ...read.slice(3)], [without(a), without(b), undefined, without(a)])
    t.match(read[2], { value: { key: 'c' }, json: '{"key":"c"}', version: c })
    t.equal(texts.length, 1)
    const sent = Object.fromEntries(rows.splice(0).map(({ key, value }) => [key, value]))
    t.strictSame(sent, { a: null, b: null, c: '{"key":"c"}' })
    const options = [{ unless: '*' } as const, {}, { unless: [a] }]
    const mixed = await Promise.all(options.map((options) => adapter.read('a', options)))
    t.strictSame([mixed[0], mixed[2]], [without(a), without(a)])
    t.match(mixed[1], { value: { key: 'a' }, version: a })
    t.equal(texts.length, 2)
  })

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
    const { text } = batchStatement(quotedTable({ table }), 0, 3)
    const items = JSON.stringify(['c', 'b', 'a'].map((key) => ({ key, version: 'mine', kind: 'any' })))
    const insert = `INSERT INTO ${table} VALUES ($1, 'theirs', NULL, NULL, '1')`
    // Another transaction is in the way of the key "b". `look` shows what the batch holds while it waits for that.
    async function whileWaiting (way: string, look: (client: pg.PoolClient) => Promise<void>): Promise<void> {
      const end = await inTransaction(t, pool, way)
      const batch = pool.query(text, [items, '1', '1', '1'])
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
    const { text } = batchStatement(quotedTable({ table }), 50, 3)
    const items = ['a', 'b'].map((key) => ({ key, version: 'mine', kind: 'any' }))
    const { rows } = await pool.query(text, [JSON.stringify(items), '1', '1', null])
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
