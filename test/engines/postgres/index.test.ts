import { inspect } from 'node:util'
import pg from 'pg'
import t from 'tap'
import type { StorageAdapter } from 'fastify-if-match'
import { conformanceSuite } from 'fastify-if-match/conformance'
import type { Refused } from '../../../lib/storage/adapter.js'
import { sqlStateFault } from '../../../lib/storage/statements/index.js'
import { postgresAdapter, type PostgresAdapterOptions } from '../../../lib/storage/postgres/index.js'
import { assertDamaged } from '../../support/damaged.js'
import { ABSENT, ANY, EXISTS, versionIn } from '../../support/expectations.js'
import { inTransaction, lockNew, lockRows, untilNothingRuns, untilWaiting } from '../../support/postgres/locks.js'
import {
  NotingClient,
  openedAdapter,
  PATIENT,
  poolTo,
  QUICK,
  subjectsOn
} from '../../support/postgres/subjects.js'
import { startPostgres } from '../../support/services/postgres.js'
import { uniqueName } from '../../support/services/service.js'
import { skipWithout } from '../../support/services/programs.js'
import { startProxy } from '../../support/services/proxy.js'
import { engineCases, PRODUCTS } from '../../support/statements/engine-cases.js'
import { until } from '../../support/until.js'

await t.test('postgres: wrong options are refused, naming the option', async (t) => {
  const client = new pg.Pool()
  const wrong: Array<[object, RegExp]> = [
    [{}, /"client"/],
    [{ client: {} }, /"client"/],
    [{ client, schema: '' }, /"schema"/],
    [{ client, table: 'a\0' }, /"table"/],
    [{ client, table: 'é'.repeat(32) }, /"table"/],
    [{ client, table: 1 }, /"table"/],
    [{ client, columns: { key: '' } }, /"key"/],
    [{ client, columns: { tag: 'etag' } }, /names tag/],
    [{ client, columns: { key: 'version' } }, /one name/],
    [{ client, timeout: 0 }, /"timeout"/],
    [{ client, timeout: '5' }, /"timeout"/],
    [{ client, timeout: 2 ** 31 }, /"timeout"/],
    [{ client, lockTimeout: -1 }, /"lockTimeout"/],
    [{ client, lockTimeout: 1.5 }, /"lockTimeout"/],
    [{ client, timeout: 100, lockTimeout: 100 }, /"lockTimeout"/],
    [{ client, prepared: 'auto' }, /"prepared"/],
    [{ client, tabel: 'offers' }, /no option "tabel"\. Did you mean "table"/],
    [client, /"client"/]
  ]
  for (const [options, message] of [...wrong, [undefined, /"client"/]] as const) {
    t.throws(
      () => postgresAdapter(options as PostgresAdapterOptions),
      { code: 'FST_IF_MATCH_INVALID_OPTIONS', message },
      inspect(options, { depth: 0 })
    )
  }
})

await t.test('postgres: createTable tries again if another process creates the table; any other error ends the boot', async (t) => {
  let failures = 2
  const failing = (code: string) => postgresAdapter({
    client: {
      query: async () => {
        if (failures-- > 0) throw Object.assign(new Error('simulated'), { code })
        return { rows: [] }
      }
    }
  })
  await failing('23505').createTable()
  failures = Infinity
  for (const code of ['42P07', '42501']) {
    await t.rejects(failing(code).createTable(), { code: 'FST_IF_MATCH_INVALID_ADAPTER' })
  }
  await t.rejects(failing('57P03').open!(), { code: 'FST_IF_MATCH_INVALID_ADAPTER', message: /starting/ })
})

await t.test('postgres: through a Pool of pg', { skip: skipWithout('postgres') }, async (t) => {
  const { url } = await startPostgres(t)
  const pool = poolTo(t, url)
  const opened = async (options?: Partial<PostgresAdapterOptions>) => {
    const client = new NotingClient(pool)
    return { client, ...await openedAdapter(client, { prepared: true, ...options }) }
  }

  await t.test('conformance', async (t) => {
    const proxy = await startProxy(t, url)
    const [one, two] = [poolTo(t, proxy.url, QUICK), poolTo(t, proxy.url, QUICK)]
    await conformanceSuite({
      test: (title, run) => t.test(title, run),
      createAdapter: subjectsOn(one, two, pool, async () => {
        await proxy.refuse()
        return async () => {
          await proxy.accept()
          // A pool learns a little later which of its connections are gone.
          for (const pool of [one, two]) {
            const select = async () => await pool.query('SELECT 1')
            await until('each connection answers', async () =>
              await Promise.all(Array.from({ length: 8 }, select)).then(() => true, () => false))
          }
        }
      })
    })
  })

  await t.test('a change that applies is one statement, a refusal is two; a version that cannot have been issued is not sent', async (t) => {
    const { client, adapter } = await opened()
    let version = ''
    const write = async (expectation: Parameters<typeof adapter.write>[2]) => {
      const result = await adapter.write('k', 1, expectation)
      if (result.applied) version = result.version
    }
    t.equal(await client.count(() => write(ABSENT)), 1)
    t.equal(await client.count(() => write(versionIn('other', version))), 1)
    t.equal(await client.count(() => write(EXISTS)), 1)
    t.equal(await client.count(() => write(ANY)), 1)
    t.equal(await client.count(() => adapter.read('k')), 1)
    t.equal(await client.count(() => adapter.list('')), 1)
    t.equal(await client.count(() => write(versionIn('other'))), 2)
    t.equal(await client.count(() => write(ABSENT)), 2)
    t.equal(await client.count(() => adapter.remove('k', versionIn('other'))), 2)
    t.equal(await client.count(() => write(versionIn('', 'a\0', '\ud800'))), 1)
    t.equal(await client.count(() => adapter.remove('k', versionIn('a"b'))), 1)
    t.equal(await client.count(() => adapter.remove('k', versionIn(version))), 1)
    t.equal(await client.count(() => write(EXISTS)), 2)
    t.equal(await client.count(() => adapter.remove('k', EXISTS)), 2)
    t.equal(await client.count(() => write(ANY)), 1)
    t.ok(client.names.slice(4).every((name) => name !== undefined), 'each of them prepared')
  })

  await t.test('a refusal after a wait for the row tells what is there now, not what was there before the wait', async (t) => {
    const { adapter, table } = await opened()
    const created = await adapter.write('k', 'before', ABSENT)
    t.ok(created.applied)
    const expectation = versionIn(created.applied ? created.version : '')
    const end = await inTransaction(t, pool, `UPDATE ${table} SET replaced = version, version = 'theirs'`)
    const changes = [
      adapter.write('k', 'mine', expectation),
      postgresAdapter({ client: pool, table, ...PATIENT }).remove('k', expectation)
    ]
    await untilWaiting(pool, table, 2)
    await end('COMMIT')
    for (const change of changes) {
      t.match(await change, { applied: false, current: { version: 'theirs', value: 'before' } })
    }
  })

  await t.test('a create that waits for another one is refused with the winner, and succeeds if the other one is rolled back', async (t) => {
    for (const [how, expected] of [
      ['COMMIT', { applied: false, current: { version: 'theirs' } }],
      ['ROLLBACK', { applied: true, created: true }]
    ] as const) {
      const { adapter, table } = await opened()
      const end = await inTransaction(t, pool, lockNew(table, 'k'))
      const creating = adapter.write('k', 'mine', ABSENT)
      await untilWaiting(pool, table)
      await end(how)
      t.match(await creating, expected, how)
    }
  })

  await t.test('"exists" holds for an entity that is deleted and inserted in one transaction: the write is tried again', async (t) => {
    const { adapter, client, table } = await opened()
    await adapter.write('k', 'before', ABSENT)
    const end = await inTransaction(
      t,
      pool,
      `DELETE FROM ${table}`,
      lockNew(table, 'k')
    )
    let writing
    const count = client.count(async () => {
      writing = adapter.write('k', 'mine', EXISTS)
      await writing
    })
    await untilWaiting(pool, table)
    await end('COMMIT')
    t.match(await writing, { applied: true, created: false })
    t.equal(await count, 3, 'it wrote, looked and wrote again')
    t.match(await adapter.read('k'), { value: 'mine', replaced: 'theirs' })
  })

  await t.test('the server bounds the wait for a locked row, in one round trip; then it is STORAGE_UNAVAILABLE, and nothing is applied later', async (t) => {
    const { adapter, client, table } = await opened({ lockTimeout: 100, timeout: 20_000 })
    await adapter.write('k', 'before', ABSENT)
    const end = await inTransaction(
      t,
      pool,
      lockRows(table),
      lockNew(table, 'new')
    )
    const unavailable = { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE', cause: { message: /stayed locked/ } }
    const changes = [
      ...[EXISTS, ANY].map((expectation) => () => adapter.write('k', 'mine', expectation)),
      ...[ABSENT, ANY].map((expectation) => () => adapter.write('new', 'mine', expectation)),
      () => adapter.remove('k', EXISTS)
    ]
    for (const change of changes) t.equal(await client.count(() => t.rejects(change(), unavailable)), 1)
    await end('ROLLBACK')
    await untilNothingRuns(pool, table)
    t.match(await adapter.list(''), { items: [{ key: 'k', value: 'before' }] })
    t.equal((await adapter.list('')).items.length, 1)
    t.same((await pool.query('SHOW lock_timeout')).rows, [{ lock_timeout: '0' }], 'and the connection is as it was')
  })

  await t.test('a client that stops waiting for an answer does not know the outcome: the server goes on, and applies the write', async (t) => {
    const { adapter, table } = await opened()
    const impatient = postgresAdapter({ client: pool, table, lockTimeout: 0, timeout: 1000 })
    await adapter.write('k', 'before', ABSENT)
    const end = await inTransaction(t, pool, lockRows(table))
    await t.rejects(impatient.write('k', 'mine', EXISTS), { code: 'FST_IF_MATCH_OUTCOME_UNKNOWN' })
    await t.rejects(impatient.remove('k', EXISTS), { code: 'FST_IF_MATCH_OUTCOME_UNKNOWN' })
    await end('ROLLBACK')
    await until('it is applied', async () => (await adapter.read('k'))?.value !== 'before')
  })

  await t.test('after a lost answer the entity is read: a write that was applied is acknowledged, and never sent again', async (t) => {
    const { adapter, client } = await opened()
    const lost = new Error('Connection terminated unexpectedly')
    const losing = (pattern: RegExp, isApplied: boolean) => {
      client.around = async (text, send) => {
        if (!pattern.test(text)) return await send()
        if (isApplied) await send()
        throw lost
      }
    }
    losing(/INSERT|UPDATE|DELETE/, true)
    t.match(await adapter.write('a', 1, ABSENT), { applied: true, created: true })
    t.match(await adapter.write('a', 2, EXISTS), { applied: true, created: false })
    t.equal(client.texts.filter((text) => /INSERT|UPDATE/.test(text) && !text.startsWith('CREATE')).length, 2)
    await t.rejects(
      adapter.remove('a', EXISTS),
      { code: 'FST_IF_MATCH_OUTCOME_UNKNOWN', cause: { cause: lost } },
      'a removal carries no version'
    )
    losing(/INSERT|UPDATE|DELETE/, false)
    await t.rejects(adapter.write('b', 1, ABSENT), { code: 'FST_IF_MATCH_OUTCOME_UNKNOWN', cause: { cause: lost } })
    losing(/./, true)
    await t.rejects(adapter.write('c', 1, ABSENT), { code: 'FST_IF_MATCH_OUTCOME_UNKNOWN' })
    await t.rejects(adapter.read('a'), { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE' }, 'a read changes nothing')
  })

  await t.test('a statement that PostgreSQL rolled back was not applied, and no read looks for it', async (t) => {
    const { adapter, client, table } = await opened({ lockTimeout: 0 })
    await adapter.write('k', 'before', ABSENT)
    const end = await inTransaction(t, pool, lockRows(table))
    const count = client.count(() =>
      t.rejects(adapter.write('k', 'mine', EXISTS), {
        code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE',
        cause: { message: /57014/ }
      })
    )
    const [pid] = await untilWaiting(pool, table)
    await pool.query('SELECT pg_cancel_backend($1)', [pid])
    t.equal(await count, 1)
    await end('ROLLBACK')
    t.equal((await adapter.read('k'))?.value, 'before')
  })

  await t.test('a row that the table refuses is 422, and stored content is in no error', async (t) => {
    const { adapter, table } = await opened()
    await pool.query(`ALTER TABLE ${table} ADD CONSTRAINT short CHECK (length(value::text) < 100)`)
    await pool.query(`CREATE INDEX ON ${table} (digest)`)
    await pool.query(`ALTER TABLE ${table} ALTER value TYPE jsonb USING value::jsonb`)
    const secret = 'secret '.repeat(20)
    const refusals: Array<[unknown, string | undefined, RegExp]> = [
      [secret, undefined, /23514/], ['secret \0', undefined, /22P05/], ['secret \ud800', undefined, /22P02/],
      ['secret', Array.from({ length: 4000 }, () => Math.random()).join(), /54000/], ['secret', 'a\0', /22021/]
    ]
    for (const [value, digest, message] of refusals) {
      const error = await adapter.write('k', value, ANY, { digest }).then(() => undefined, (error: Error) => error)
      t.match(error, { code: 'FST_IF_MATCH_INVALID_VALUE', statusCode: 422, message })
      t.notMatch(inspect(error, { depth: 9, showHidden: true }).replaceAll(/at .*/g, ''), /secret/)
    }
    t.equal(await adapter.read('k'), undefined)
  })

  await t.test('a constraint of the app on the table is 409 with its name, fails alone, and does not hide a refusal', async (t) => {
    const { adapter, table } = await opened()
    await pool.query(`CREATE UNIQUE INDEX ${table}_title ON ${table} ((value ->> 'title'))`)
    await adapter.write('k', { title: 'a secret' }, ABSENT)
    const [taken, free] = await Promise.allSettled(
      ['a secret', 'free'].map(async (title) => await adapter.write(title, { title }, ABSENT))
    )
    t.match(taken, { reason: { code: 'FST_IF_MATCH_CONSTRAINT', statusCode: 409 } })
    const { reason } = taken as { reason: Error }
    t.match(reason.cause, { constraint: `${table}_title` })
    t.notMatch(inspect(reason, { depth: 9, showHidden: true }).replaceAll(/at .*/g, ''), /secret/)
    t.match(free, { value: { applied: true } })
    for (let round = 0; round < 4; round++) {
      const results = await Promise.all(Array.from({ length: 16 }, async () =>
        await adapter.write(`r${round}`, { title: `r${round}` }, ABSENT)))
      t.equal(results.filter(({ applied }) => applied).length, 1)
    }
  })

  await t.test('a table that lost a column, a right or itself is a fault of the server in all operations, and no outage', async (t) => {
    const { table } = await opened()
    const role = `${table}_reader`
    await pool.query(`CREATE ROLE ${role}`)
    await pool.query(`GRANT SELECT ON ${table} TO ${role}`)
    t.teardown(async () => { await pool.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`) })
    const adapter = postgresAdapter({ client: poolTo(t, url), table, ...PATIENT })
    const reader = postgresAdapter({ client: poolTo(t, url, { options: `-c role=${role}` }), table, ...PATIENT })
    await adapter.write('k', 1, ANY)
    const fault = { code: 'FST_IF_MATCH_STORAGE_FAULT', statusCode: 500, message: /nothing was changed/ }
    const allFail = async (calls: Array<Promise<unknown>>, message: RegExp): Promise<void> => {
      const failed = { reason: { ...fault, cause: { message } } }
      for (const outcome of await Promise.allSettled(calls)) t.match(outcome, failed)
    }
    const changes = (adapter: StorageAdapter): Array<Promise<unknown>> =>
      [adapter.write('k', 2, EXISTS), adapter.write('l', 2, ABSENT), adapter.remove('k', EXISTS)]
    const all = (adapter: StorageAdapter): Array<Promise<unknown>> => [...changes(adapter), adapter.read('k')]
    await allFail(changes(reader), /GRANT.*42501/)
    t.match(await reader.read('k'), { value: 1 })
    await pool.query(`ALTER TABLE ${table} RENAME COLUMN digest TO digestt`)
    await allFail([adapter.write('k', 2, EXISTS), adapter.write('l', 2, ABSENT), adapter.read('k')], /42703.*digest/)
    await pool.query(`ALTER TABLE ${table} RENAME TO ${table}_gone`)
    await allFail(all(adapter), /the table is not there.*42P01/)
    await allFail([adapter.write('alone', 2, ABSENT)], /42P01/)
    await pool.query(`ALTER TABLE ${table}_gone RENAME TO ${table}`)
  })

  await t.test('a write that a trigger leaves out in silence is a fault of the server that says so, and no contention', async (t) => {
    const { adapter, table } = await opened()
    const version = (await adapter.write('k', 1, ABSENT) as { version: string }).version
    await pool.query(
      `CREATE FUNCTION ${table}_skip () RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$`
    )
    await pool.query(
      `CREATE TRIGGER skip BEFORE INSERT OR UPDATE OR DELETE ON ${table} FOR EACH ROW EXECUTE FUNCTION ${table}_skip ()`
    )
    const fault = { code: 'FST_IF_MATCH_STORAGE_FAULT', statusCode: 500, message: /does nothing.*trigger/ }
    for (const expectation of [versionIn(version), EXISTS, ANY]) {
      await t.rejects(adapter.write('k', 2, expectation), fault)
    }
    await t.rejects(adapter.remove('k', versionIn(version)), fault)
    await t.rejects(adapter.write('new', 2, ABSENT), fault)
    t.match(await adapter.read('k'), { value: 1, version })
  })

  await t.test('a statement with a parameter too few is a fault of the server, though its SQLSTATE is that of a lost connection', async (t) => {
    const error = await pool.query('SELECT $1::text, $2::text', ['a secret']).catch((error: unknown) => error)
    t.match(error, { code: '08P01' })
    t.match(sqlStateFault(error), { code: 'FST_IF_MATCH_STORAGE_FAULT', cause: { message: /supplies 1 parameters/ } })
  })

  await t.test('a stored value that is no JSON is a fault of the storage where it is asked for, and nowhere else, and its content is in no error', async (t) => {
    const { adapter, table } = await opened()
    await adapter.write('k', 1, ANY)
    await pool.query(`ALTER TABLE ${table} ALTER value TYPE text USING 'a secret'`)
    const stored = (await adapter.read('k'))!
    const together = await Promise.all([adapter.read('k'), adapter.read('k', { unless: '*' }), adapter.read('other')])
    t.strictSame(together[1], { version: stored.version, replaced: undefined, digest: undefined })
    t.equal(together[2], undefined)
    const refused = await adapter.write('k', 2, ABSENT)
    const { items } = await adapter.list('')
    for (const damaged of [stored, together[0], (refused as Refused).current, items[0]]) {
      assertDamaged(t, damaged, /not JSON/)
      t.equal(damaged?.version, stored.version)
    }
    t.match(await adapter.write('k', 2, versionIn(stored.version)), { applied: true })
    t.equal((await adapter.read('k'))?.value, 2)
  })

  await t.test('a table with other names, in a schema, all of them quoted; its columns may hold text or jsonb', async (t) => {
    await pool.query('CREATE SCHEMA "the ""shop"""')
    const columns = { key: 'select', version: 'Etag', replaced: 'old"etag', digest: '1', value: "it's" }
    const { adapter } = await openedAdapter(pool, { schema: 'the "shop"', table: 'Offers; --', columns })
    await adapter.createTable()
    const created = await adapter.write('a/1', { n: 1 }, ANY, { digest: 'd' })
    t.match(await adapter.write('a/1', { n: 2 }, EXISTS), { applied: true })
    t.match(await adapter.list('a/'), {
      items: [{ key: 'a/1', value: { n: 2 }, replaced: created.applied && created.version }]
    })
    t.match(await adapter.remove('a/1', EXISTS), { applied: true })
    for (const type of ['text', 'jsonb']) {
      await pool.query(`ALTER TABLE "the ""shop"""."Offers; --" ALTER "it's" TYPE ${type} USING "it's"::${type}`)
      await adapter.open!()
      t.match(await adapter.write('k', { n: [1] }, ANY), { applied: true })
      t.strictSame((await adapter.read('k'))?.value, { n: [1] }, type)
    }
  })

  await t.test('several adapters that create the table at once all succeed', async (t) => {
    const { table } = await opened()
    await pool.query(`DROP TABLE ${table}`)
    const makers = Array.from({ length: 8 }, () => postgresAdapter({ client: pool, table, ...PATIENT }))
    await Promise.all(makers.map((adapter) => adapter.createTable()))
  })

  await t.test('a listing takes any text as its prefix and as `after`', async (t) => {
    const { adapter } = await opened()
    for (const key of ['a', 'ab', 'b']) await adapter.write(key, 1, ABSENT)
    const keys = async (prefix: string, after?: string) =>
      (await adapter.list(prefix, { after })).items.map(({ key }) => key)
    t.strictSame(await keys('a\0'), [])
    t.strictSame(await keys('', 'a\0'), ['ab', 'b'])
    t.strictSame(await keys('', '\0'), ['a', 'ab', 'b'])
    t.strictSame(await keys('a', ''), ['a', 'ab'])
  })

  await t.test('prefix, `after` and the order of a listing go by bytes, also on a column with another order', async (t) => {
    const { adapter, table } = await opened()
    await pool.query(`ALTER TABLE ${table} ALTER key TYPE text COLLATE "und-x-icu"`)
    for (const key of ['b', 'Z', 'a', 'B', 'A']) await adapter.write(key, 1, ABSENT)
    const keys = async (prefix: string, after?: string) =>
      (await adapter.list(prefix, { after })).items.map(({ key }) => key)
    t.strictSame(await keys(''), ['A', 'B', 'Z', 'a', 'b'])
    t.strictSame(await keys('', 'B'), ['Z', 'a', 'b'])
    t.strictSame(await keys('a'), ['a'])
    t.strictSame(await keys('Z'), ['Z'])
  })

  await engineCases(t, 'postgres: statements', async (t) => {
    const schema = uniqueName()
    await pool.query(`CREATE SCHEMA ${schema}`)
    const client = poolTo(t, url, { options: `-c search_path=${schema}` })
    await client.query(PRODUCTS)
    return {
      client: {
        async run (sql, values) {
          const { rows, rowCount } = await client.query(sql, values)
          return { rows, count: rowCount }
        }
      },
      act: async (sql) => await client.query(sql),
      faultOf: sqlStateFault
    }
  })

  await t.test('a listing, a read and a write use the index on the key', async (t) => {
    const { client, table, adapter } = await opened()
    await pool.query(`INSERT INTO ${table} SELECT 'k/' || n, 'v', NULL, NULL, '1' FROM generate_series(1, 20000) AS n`)
    await pool.query(`ANALYZE ${table}`)
    const texts = client.texts.length
    await adapter.list('k/7')
    await adapter.read('k/7')
    await adapter.write('k/7', 1, versionIn('v'))
    const values: unknown[][] = [['k/7', '', 101, 'k/8'], ['k/7'], ['k/7', 'w', '1', null, ['v']]]
    for (const [index, text] of client.texts.slice(texts).entries()) {
      const { rows } = await pool.query(`EXPLAIN ${text}`, values[index])
      t.match(JSON.stringify(rows), /Index Scan/, text)
    }
  })
})
