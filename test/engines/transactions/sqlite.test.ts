import Database from 'better-sqlite3'
import t, { type Test } from 'tap'
import type { TransactionAdapter } from 'fastify-if-match'
import { conformanceSuite } from 'fastify-if-match/conformance'
import { sqliteTransaction, transactionsAdapter, type LastWrite } from 'fastify-if-match/storage/transactions'
import { barrier } from '../../support/barrier.js'
import { ABSENT, EXISTS } from '../../support/expectations.js'

type Handle = Database.Database

const SCHEMA = `
  CREATE TABLE items (id TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL, version TEXT NOT NULL);
  CREATE TABLE writes (
    id TEXT NOT NULL PRIMARY KEY REFERENCES items ON DELETE CASCADE, version TEXT NOT NULL, replaced TEXT, digest TEXT)`

function saveLastWrite (tx: Handle, id: string, { version, replaced, digest }: LastWrite): void {
  tx.prepare('REPLACE INTO writes VALUES (?, ?, ?, ?)').run(id, version, replaced, digest)
}

function adapterOn (client: Handle, transactions = client, serial?: boolean, keeps = false): TransactionAdapter {
  return transactionsAdapter<unknown, Handle, Handle>({
    ...keeps && { saveLastWrite },
    client,
    transaction: sqliteTransaction(transactions),
    serial,
    toId: (key) => key,
    version: (tx, id) => tx.prepare<[string], string>('SELECT version FROM items WHERE id = ?').pluck().get(id),
    read: (client, id) => {
      const select = client.prepare<[string], { version: string, value: string }>('SELECT * FROM items WHERE id = ?')
      const row = select.get(id)
      const lastWrite = client.prepare<[string], LastWrite>('SELECT * FROM writes WHERE id = ?').get(id)
      return row && { version: row.version, value: JSON.parse(row.value), lastWrite }
    },
    save: (tx, id, value) =>
      tx.prepare('REPLACE INTO items VALUES (?, ?, hex(randomblob(8)))').run(id, JSON.stringify(value)),
    remove: (tx, id) => tx.prepare('DELETE FROM items WHERE id = ?').run(id)
  })
}

function newFile (t: Test, mode = 'WAL') {
  const file = `${t.testdir()}/items.db`
  const open = () => {
    const handle = new Database(file, { timeout: 0 })
    t.teardown(() => { handle.close() })
    return handle
  }
  open().exec(`PRAGMA journal_mode = ${mode}; ${SCHEMA}`)
  return open
}

let files = 0
const folder = t.testdir()
for (const keeps of [true, false]) {
  await conformanceSuite({
    // What does not keep the last write differs in few cases.
    test: (title, run) => keeps
      ? t.test(title, run)
      : /^(subject|refusal|transaction)/.test(title) && t.test(`without saveLastWrite: ${title}`, run),
    list: false,
    replaced: keeps,
    digest: keeps,
    transactions: true,
    async createAdapter () {
      const file = `${folder}/${++files}.db`
      const handles: Handle[] = []
      let isCut = false
      const lost = () => { throw Object.assign(new Error('the file is away'), { code: 'SQLITE_CANTOPEN' }) }
      const open = () => {
        const handle = new Database(file, { timeout: 0 })
        handle.pragma('synchronous = OFF')
        handles.push(handle)
        return new Proxy(handle, {
          get (target, name) {
            if (isCut && name === 'inTransaction') return true
            const member: unknown = Reflect.get(target, name, target)
            if (typeof member !== 'function') return member
            return isCut && (name === 'exec' || name === 'prepare') ? lost : member.bind(target)
          }
        })
      }
      open().exec(SCHEMA)
      return {
        adapter: adapterOn(open(), undefined, undefined, keeps),
        another: async () => adapterOn(open(), open(), false, keeps),
        async cut () {
          isCut = true
          // What is lost is rolled back, as when a process ends.
          for (const handle of handles) if (handle.inTransaction) handle.exec('ROLLBACK')
          return async () => { isCut = false }
        },
        close: async () => { for (const handle of handles) handle.close() }
      }
    }
  })
}

await t.test('a handle has one transaction: works follow one another, and no read gets into one', async (t) => {
  const handle = newFile(t)()
  const adapter = adapterOn(handle)
  await adapter.write('k', 1, ABSENT)
  const [begun, end] = [barrier(), barrier()]
  const order: unknown[] = []
  const first = adapter.transaction('k', EXISTS, async (tx: Handle) => {
    tx.exec("UPDATE items SET value = '2', version = 'not-committed'")
    begun.open()
    await end.opened
    order.push('first')
    throw Object.assign(new Error('no'), { statusCode: 409 })
  })
  const failed = t.rejects(first, { message: 'no' })
  await begun.opened
  const second = adapter.transaction('k', EXISTS, async (tx: Handle) => {
    order.push('second')
    tx.exec("UPDATE items SET value = '3', version = 'second'")
  })
  const read = adapter.read('k').then((stored) => { order.push(stored?.value) })
  end.open()
  await Promise.all([failed, second, read])
  t.strictSame(order, ['first', 'second', 3])
})

await t.test('adapters over one handle, each with a table of its own, take turns as well: works, writes and reads', async (t) => {
  const handle = newFile(t)()
  const adapter = adapterOn(handle)
  const another = adapterOn(handle)
  await adapter.write('k', 1, ABSENT)
  const [begun, end] = [barrier(), barrier()]
  const first = adapter.transaction('k', EXISTS, async (tx: Handle) => {
    tx.exec("UPDATE items SET value = '2', version = 'not-committed'")
    begun.open()
    await end.opened
    throw Object.assign(new Error('no'), { statusCode: 409 })
  })
  const failed = t.rejects(first, { message: 'no' })
  await begun.opened
  const read = another.read('k')
  const direct = sqliteTransaction(handle)(async (tx) => { tx.exec("UPDATE items SET version = 'direct'") })
  const written = another.write('k', 3, EXISTS)
  end.open()
  await Promise.all([failed, direct])
  t.match([(await read)?.value, await written], [1, { applied: true }])
  t.equal((await adapter.read('k'))?.value, 3)
})

await t.test('with a handle of their own for transactions, reads do not wait, and see what is committed', async (t) => {
  const open = newFile(t)
  const adapter = adapterOn(open(), open(), false)
  await adapter.write('k', 1, ABSENT)
  await adapter.transaction('k', EXISTS, async (tx: Handle) => {
    tx.exec("UPDATE items SET value = '2', version = 'second'")
    t.equal((await adapter.read('k'))?.value, 1)
  })
  t.equal((await adapter.read('k'))?.value, 2)
})

await t.test('a COMMIT that meets a reader is rolled back, and the work runs again', async (t) => {
  const open = newFile(t, 'DELETE')
  const handle = open()
  const adapter = adapterOn(handle)
  await adapter.write('k', 1, ABSENT)
  const reader = open()
  let runs = 0
  reader.exec('BEGIN; SELECT * FROM items')
  const result = await adapter.transaction('k', EXISTS, async (tx: Handle) => {
    tx.exec(`UPDATE items SET value = '2', version = 'of-run-${++runs}'`)
    if (runs === 2) reader.exec('COMMIT')
  })
  t.match([result, runs, handle.inTransaction], [{ applied: true, version: 'of-run-2' }, 2, false])
})

await t.test('a transaction that SQLite itself rolled back ends in the error that did it', async (t) => {
  const handle = newFile(t)()
  handle.exec("CREATE TRIGGER refuse BEFORE UPDATE ON items BEGIN SELECT raise(ROLLBACK, 'no such price'); END")
  const adapter = adapterOn(handle)
  await adapter.write('k', 1, ABSENT)
  const work = async (tx: Handle) => tx.exec("UPDATE items SET version = 'x'")
  await t.rejects(adapter.transaction('k', EXISTS, work), { code: 'FST_IF_MATCH_INVALID_VALUE' })
  t.equal(handle.inTransaction, false)
})
