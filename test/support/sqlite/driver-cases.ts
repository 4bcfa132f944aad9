import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import type { Test } from 'tap'
import { conformanceSuite } from 'fastify-if-match/conformance'
import { faultKind } from '../../../lib/storage/sqlite/faults.js'
import { sqliteAdapter } from '../../../lib/storage/sqlite/index.js'
import { ABSENT, ANY, EXISTS } from '../expectations.js'
import { until } from '../until.js'
import { fileOf, openedAdapter, subjectsOn, TABLE, type OpenFile } from './handles.js'

/** Cases that depend on how a driver binds, reads and fails. Each driver must pass them. */
export async function driverCases (t: Test, open: OpenFile): Promise<void> {
  function connect (t: Test, file: string, isReadonly?: boolean) {
    const database = open(file, isReadonly)
    t.teardown(() => database.close())
    return database
  }

  await conformanceSuite({
    test: (title, run) => t.test(title, run),
    createAdapter: subjectsOn(open, (database) => sqliteAdapter({ database }))
  })

  await t.test('sqlite: synchronous is 2 on the connection that writes, and 1 with NORMAL', async (t) => {
    const level = async (synchronous?: 'NORMAL') => {
      const { database } = await openedAdapter(t, open, synchronous && { synchronous })
      return database.prepare('PRAGMA synchronous').get()
    }
    t.match(await level(), { synchronous: 2 })
    t.match(await level('NORMAL'), { synchronous: 1 })
  })

  await t.test('sqlite: while the app has a transaction or a savepoint open on the handle nothing is acknowledged or read, nor does the adapter boot, and the error says why', async (t) => {
    const { adapter, database, file } = await openedAdapter(t, open)
    const other = connect(t, file)
    const isOpen = /a transaction of the app is open on this handle/
    for (const begin of ['BEGIN', 'BEGIN IMMEDIATE', 'SAVEPOINT mine']) {
      database.exec(begin)
      const calls: Array<Promise<unknown>> = [
        ...Array.from({ length: 20 }, (_, index) => adapter.write(`k${index}`, 1, ANY)),
        adapter.remove('k', EXISTS), adapter.read('k'), adapter.list('')
      ]
      for (const outcome of await Promise.allSettled(calls)) {
        t.match(outcome, { reason: { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE', cause: { message: isOpen } } }, begin)
      }
      await t.rejects(sqliteAdapter({ database }).open!(), { code: 'FST_IF_MATCH_INVALID_ADAPTER', message: isOpen })
      database.exec('ROLLBACK')
      t.same(other.prepare('SELECT key FROM entities').all(), [])
    }
    for (let index = 0; index < 20; index++) {
      t.match(await adapter.write(`k${index}`, 1, ANY), { applied: true })
      database.exec('BEGIN; ROLLBACK')
    }
    t.equal(other.prepare('SELECT key FROM entities').all().length, 20)
  })

  await t.test('sqlite: a row that the table refuses fails alone, with 422, and its batch is stored', async (t) => {
    const { adapter, database } = await openedAdapter(t, open)
    database.exec(
      "CREATE TRIGGER refuse BEFORE INSERT ON entities WHEN new.key = 'bad' BEGIN SELECT RAISE(ABORT, 'no'); END"
    )
    const [a, bad, b] = await Promise.allSettled(['a', 'bad', 'b'].map((key) => adapter.write(key, key, ANY)))
    t.match([a, b], [{ status: 'fulfilled' }, { status: 'fulfilled' }])
    t.match(bad, { reason: { code: 'FST_IF_MATCH_INVALID_VALUE', statusCode: 422 } })
    t.same((await adapter.list('')).items.map(({ key }) => key), ['a', 'b'])
  })

  await t.test('sqlite: a write or a removal that a trigger silently leaves out is never acknowledged', async (t) => {
    const { adapter, database } = await openedAdapter(t, open)
    await adapter.write('kept', 1, ANY)
    database.exec(
      "CREATE TRIGGER ignore_writes BEFORE INSERT ON entities WHEN new.key = 'bad' BEGIN SELECT RAISE(IGNORE); END"
    )
    database.exec('CREATE TRIGGER ignore_removals BEFORE DELETE ON entities BEGIN SELECT RAISE(IGNORE); END')
    const outcomes = await Promise.allSettled([
      adapter.write('a', 1, ANY),
      adapter.write('bad', 1, ANY),
      adapter.remove('kept', EXISTS),
      adapter.write('b', 1, ANY)
    ])
    const refused = {
      status: 'rejected',
      reason: { code: 'FST_IF_MATCH_STORAGE_FAULT', message: /a trigger that leaves the row out/ }
    }
    t.match(outcomes, [{ status: 'fulfilled' }, refused, refused, { status: 'fulfilled' }])
    t.same((await adapter.list('')).items.map(({ key }) => key), ['a', 'b', 'kept'])
  })

  await t.test('sqlite: a value that is larger than SQLite takes is recognised, so it fails alone', async (t) => {
    const database = connect(t, fileOf(t))
    let error: unknown
    try {
      // Refused for its length, before a byte of it is looked at.
      database.prepare('SELECT ?').get(new Uint8Array(1_000_000_001))
    } catch (thrown) {
      error = thrown
    }
    t.equal(faultKind(error), 'TOOBIG')
  })

  await t.test('sqlite: a full disk is STORAGE_UNAVAILABLE for the whole batch, and nothing of the batch is stored', async (t) => {
    const { adapter, database } = await openedAdapter(t, open)
    await adapter.write('before', 1, ANY)
    const { page_count: pages } = database.prepare('PRAGMA page_count').get() as { page_count: number }
    database.exec(`PRAGMA max_page_count = ${pages}`)
    const outcomes = await Promise.allSettled([
      adapter.write('small', 1, ANY),
      adapter.write('large', 'x'.repeat(100_000), ANY)
    ])
    const full = { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE', cause: { message: /disk is full/ } }
    for (const outcome of outcomes) t.match(outcome, { reason: full })
    t.same((await adapter.list('')).items.map(({ key }) => key), ['before'])
    database.exec('PRAGMA max_page_count = 100000')
    t.match(
      await adapter.write('large', 'x'.repeat(100_000), ANY),
      { applied: true },
      'and it goes on when there is room'
    )
  })

  await t.test('sqlite: the event loop runs while a write waits for the lock of another process; after the timeout it is STORAGE_UNAVAILABLE, never a refusal', async (t) => {
    const { adapter, file } = await openedAdapter(t, open, { lockTimeout: 150 })
    const patient = sqliteAdapter({ database: connect(t, file), lockTimeout: 60_000 })
    await patient.open!()
    const other = connect(t, file)
    other.exec('BEGIN IMMEDIATE')
    await t.rejects(adapter.write('a', 1, ABSENT), {
      code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE',
      cause: { message: /holds the lock/ }
    })
    t.equal(await adapter.read('a'), undefined, 'reads need no lock')
    let attempts = 0
    let isAnswered = false
    const writing = patient.write('a', 2, ABSENT).finally(() => { isAnswered = true })
    await until('the event loop goes on', () => ++attempts > 20)
    t.notOk(isAnswered, 'while the write waits')
    other.exec('COMMIT')
    t.match(await writing, { applied: true })
  })

  await t.test('sqlite: an adapter that is closed or was never opened rejects and says so; close waits for operations that are under way', async (t) => {
    const { adapter, handle } = await openedAdapter(t, open)
    const writing = adapter.write('a', 1, ANY)
    await adapter.close!()
    t.match(await writing, { applied: true })
    const calls: Array<() => Promise<unknown>> = [
      () => adapter.read('a'),
      () => adapter.write('a', 2, ANY),
      () => adapter.list('')
    ]
    for (const call of calls) {
      await t.rejects(call(), {
        code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE',
        cause: { message: /before open\(\) or after close\(\)/ }
      })
    }
    await adapter.open!()
    t.equal((await adapter.read('a'))?.value, 1)
    handle.close()
    await t.rejects(adapter.read('a'), {
      code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE',
      cause: { message: /handle is closed/ }
    })
    await t.rejects(adapter.write('a', 2, ANY), {
      code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE',
      cause: { message: /handle is closed/ }
    })
  })

  await t.test('sqlite: a file that is no database, is damaged or cannot be written, and a closed handle, end the boot, which says why', async (t) => {
    const text = fileOf(t)
    writeFileSync(text, 'Dear diary, '.repeat(100))
    const damaged = fileOf(t)
    const sound = open(damaged)
    sound.exec(TABLE)
    sound.close()
    writeFileSync(damaged, readFileSync(damaged).fill(0xff, 100))
    const readonly = fileOf(t)
    const writable = open(readonly)
    writable.exec(`PRAGMA journal_mode = WAL; ${TABLE}`)
    writable.close()
    chmodSync(readonly, 0o444)
    const closed = open(fileOf(t))
    closed.close()
    const cases: Array<[ReturnType<OpenFile>, RegExp]> = [
      [connect(t, text), /is not an SQLite database/],
      [connect(t, damaged), /damaged/],
      [connect(t, readonly, true), /cannot be written/],
      [closed, /handle is closed/]
    ]
    for (const [database, message] of cases) {
      await t.rejects(
        sqliteAdapter({ database }).open!(),
        { code: 'FST_IF_MATCH_INVALID_ADAPTER', message },
        String(message)
      )
    }
    t.ok(readFileSync(text, 'utf8').startsWith('Dear diary'))
  })
}
