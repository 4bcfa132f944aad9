import t, { type Test } from 'tap'
import type { MysqlAdapter } from '../../../lib/storage/mysql/index.js'
import { ABSENT, ANY, EXISTS, versionIn } from '../../support/expectations.js'
import { configOf, driversOf } from '../../support/mysql/drivers.js'
import { inTransaction, lockRows, manyRows, untilWaiting } from '../../support/mysql/locks.js'
import { noted, openedAdapter } from '../../support/mysql/subjects.js'
import { startMariadb } from '../../support/services/mariadb.js'
import { skipWithout } from '../../support/services/programs.js'

const NO_TRANSACTION = { code: 'FST_IF_MATCH_INVALID_OPTIONS', message: /in no transaction/ }

function operationsIn (adapter: MysqlAdapter, context: object): Array<() => Promise<unknown>> {
  return [
    () => adapter.write('new', 1, ABSENT, { context }), () => adapter.write('new', 1, ANY, { context }),
    () => adapter.write('a', 1, EXISTS, { context }), () => adapter.write('a', 1, ANY, { context }),
    () => adapter.write('a', 1, versionIn('x'), { context }), () => adapter.remove('a', EXISTS, { context }),
    () => adapter.read('a', { context })
  ]
}

// At SERIALIZABLE a read locks the row, so nobody changes what it saw.
const LEVELS = ['READ COMMITTED', 'REPEATABLE READ']

await t.test('mysql: the transaction of the app', { skip: skipWithout('mysql') }, async (t) => {
  const { url } = await startMariadb(t)
  const steady = driversOf(url)[0]!.pool(t)

  for (const { name, pool: poolOf } of driversOf(url)) {
    const pool = poolOf(t)
    const begin = async (t: Test, ...texts: string[]) => {
      const client = await pool.getConnection()
      t.teardown(() => { client.destroy() })
      for (const text of texts.length > 0 ? texts : ['BEGIN']) await client.query(text)
      return { client, context: { client } }
    }

    await t.test(`${name}: a connection with another database by now works on the table of the adapter`, async (t) => {
      const { adapter, table } = await openedAdapter(pool)
      const other = `other_${table}`
      await steady.query(`CREATE DATABASE ${other}`)
      t.teardown(async () => { await steady.query(`DROP DATABASE ${other}`) })
      const create = `CREATE TABLE ${table} LIKE ${configOf(url).database}.${table}`
      const { client, context } = await begin(t, `USE ${other}`, create, 'BEGIN')
      t.match(await adapter.write('a', 1, ABSENT, { context }), { applied: true })
      t.match(await adapter.read('a', { context }), { value: 1 })
      await client.query('COMMIT')
      t.match(await adapter.read('a'), { value: 1 })
    })

    await t.test(`${name}: what is written in it is there with its COMMIT, is gone with its ROLLBACK, and is one statement`, async (t) => {
      for (const [how, kept] of [['COMMIT', true], ['ROLLBACK', false]] as const) {
        const { adapter } = await openedAdapter(pool)
        await adapter.write('old', 1, ABSENT)
        await adapter.write('gone', 1, ABSENT)
        const { client } = await begin(t)
        const note = noted(client)
        const context = { client: note.client }
        const step = async (expected: object, operation: () => Promise<unknown>) => {
          t.equal(await note.count(async () => { t.match(await operation(), expected) }), 1)
        }
        await step({ applied: true, created: true }, () => adapter.write('new', 2, ABSENT, { context }))
        await step({ applied: true, created: true }, () => adapter.write('newer', 2, ANY, { context }))
        await step({ applied: true, created: false }, () => adapter.write('old', 2, ANY, { context }))
        await step({ applied: true, created: false }, () => adapter.write('old', 3, EXISTS, { context }))
        await step({ applied: true }, () => adapter.remove('gone', EXISTS, { context }))
        await step({ value: 3 }, async () => await adapter.read('old', { context }) as object)
        await step({ items: [{}, {}, {}] }, () => adapter.list('', { context }))
        t.match(await adapter.read('old'), { value: 1 }, 'not seen outside')
        t.match(await adapter.write('new', 9, ABSENT, { context }), { applied: false, current: { value: 2 } })
        await client.query(how)
        void client.release()
        const keys = (await adapter.list('')).items.map(({ key, value }) => `${key} ${String(value)}`)
        t.strictSame(keys, kept ? ['new 2', 'newer 2', 'old 3'] : ['gone 1', 'old 1'])
      }
    })

    await t.test(`${name}: a refusal tells what stands in the way, also where the snapshot of the transaction hides it`, async (t) => {
      for (const level of LEVELS) {
        const { adapter, table } = await openedAdapter(pool)
        const written = await adapter.write('k', 'before', ABSENT)
        const { version } = written as { version: string }
        const { client, context } = await begin(t, `SET TRANSACTION ISOLATION LEVEL ${level}`, 'BEGIN')
        // The snapshot is made here.
        await client.query(`SELECT * FROM ${table} WHERE \`key\` = 'x'`)
        await adapter.write('k', 'theirs', ANY)
        await adapter.write('new', 'theirs', ABSENT)
        const refused = { applied: false, current: { value: 'theirs' } }
        t.match(await adapter.write('k', 'mine', versionIn(version), { context }), refused, level)
        t.match(await adapter.write('new', 'mine', ABSENT, { context }), refused, level)
        t.match(await adapter.remove('k', versionIn(version), { context }), refused, level)
        t.match(await adapter.write('none', 'mine', EXISTS, { context }), { applied: false, current: undefined })
        await client.query('ROLLBACK')
        void client.release()
      }
    })

    await t.test(`${name}: 1205 rolls back the statement alone, and is contention; the transaction goes on`, async (t) => {
      const { adapter, table } = await openedAdapter(pool)
      await adapter.write('k', 'before', ABSENT)
      const { client, context } = await begin(t, 'SET SESSION innodb_lock_wait_timeout = 1', 'BEGIN')
      await adapter.write('new', 1, ABSENT, { context })
      const end = await inTransaction(t, steady, `${lockRows(table)} WHERE \`key\` = 'k'`)
      await t.rejects(adapter.write('k', 'mine', EXISTS, { context }), {
        code: 'FST_IF_MATCH_CONTENTION', cause: { message: /1205/ }
      })
      await end('ROLLBACK')
      t.match(await adapter.write('k', 'mine', EXISTS, { context }), { applied: true })
      await client.query('COMMIT')
      client.destroy()
      t.match(await adapter.list(''), { items: [{ key: 'k', value: 'mine' }, { key: 'new' }] })
    })

    await t.test(`${name}: a deadlock ends the transaction: it is contention, and what the app writes after it is refused and stored nowhere`, async (t) => {
      const { adapter, table } = await openedAdapter(pool)
      await adapter.write('a', 1, ABSENT)
      await adapter.write('b', 1, ABSENT)
      await manyRows(steady, `${table}_log`)
      const { client, context } = await begin(t)
      await adapter.write('a', 'mine', EXISTS, { context })
      // It changed more rows, so the other one is the victim.
      const other = await begin(t, 'BEGIN', `UPDATE ${table}_log SET text = 'y'`)
      await other.client.query(`SELECT * FROM ${table} WHERE \`key\` = 'b' FOR UPDATE`)
      const writing = adapter.write('b', 'mine', EXISTS, { context })
      const ended = t.rejects(writing, { code: 'FST_IF_MATCH_CONTENTION', cause: { message: /1213/ } })
      await untilWaiting(steady, table)
      await other.client.query(`UPDATE ${table} SET digest = 'x' WHERE \`key\` = 'a'`)
      await ended
      await other.client.query('ROLLBACK')
      for (const operation of operationsIn(adapter, context)) await t.rejects(operation(), NO_TRANSACTION)
      await client.query('COMMIT')
      t.match(await adapter.list(''), { items: [{ value: 1 }, { value: 1 }] })
      t.equal((await adapter.list('')).items.length, 2)
      await client.query('BEGIN')
      t.match(await adapter.write('a', 'again', EXISTS, { context }), { applied: true }, 'in a new transaction')
    })

    await t.test(`${name}: a context whose client is in no transaction is refused in each operation, and nothing is stored`, async (t) => {
      const { adapter } = await openedAdapter(pool)
      await adapter.write('a', 1, ABSENT)
      const { client, context } = await begin(t, 'SELECT 1')
      for (const operation of operationsIn(adapter, context)) await t.rejects(operation(), NO_TRANSACTION)
      await client.query('SET autocommit = 0')
      t.match(await adapter.write('a', 2, EXISTS, { context }), { applied: true }, 'without autocommit there is one')
      t.match(await adapter.write('b', 2, ABSENT, { context }), { applied: true, created: true })
      await client.query('ROLLBACK')
      t.match(await adapter.write('b', 2, ANY, { context }), { applied: true, created: true })
      await client.query('ROLLBACK')
      t.match(await adapter.read('a'), { value: 1 })
      t.equal((await adapter.list('')).items.length, 1)
    })

    await t.test(`${name}: in a transaction that is read only nothing is written, and it says so`, async (t) => {
      const { adapter } = await openedAdapter(pool)
      const { context } = await begin(t, 'START TRANSACTION READ ONLY')
      await t.rejects(adapter.write('k', 1, ANY, { context }), {
        code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE', cause: { message: /transaction is read only/ }
      })
      t.equal(await adapter.read('k', { context }), undefined)
    })

    await t.test(`${name}: an answer that is lost in a transaction proves nothing: the app rolls it back`, async (t) => {
      const { adapter } = await openedAdapter(pool)
      const { client } = await begin(t)
      const note = noted(client)
      note.around = async (_text, send) => {
        await send()
        throw Object.assign(new Error('Connection lost'), { code: 'PROTOCOL_CONNECTION_LOST', fatal: true })
      }
      t.equal(await note.count(() => t.rejects(adapter.write('k', 1, ANY, { context: { client: note.client } }), {
        code: 'FST_IF_MATCH_OUTCOME_UNKNOWN'
      })), 1)
    })

    await t.test(`${name}: a context without a connection is refused before anything is sent`, async (t) => {
      const note = noted(pool)
      const { adapter } = await openedAdapter(note.client)
      const wrong: Array<[context: unknown, message: RegExp]> = [
        [null, /must be { client }/], ['text', /must be { client }/], [{}, /must be { client }/],
        [{ client: pool }, /is a pool/], [{ client: Promise.resolve(pool) }, /is a promise/],
        [{ client: {} }, /execute/]
      ]
      t.equal(await note.count(async () => {
        for (const [context, message] of wrong) {
          const refused = { code: 'FST_IF_MATCH_INVALID_OPTIONS', message }
          await t.rejects(adapter.write('k', 1, ANY, { context }), refused)
          await t.rejects(adapter.read('k', { context }), refused)
        }
      }), 0)
    })
  }
})
