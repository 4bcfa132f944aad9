import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import t, { type Test } from 'tap'
import { until } from '../../../test/support/until.js'
import { uniqueName } from '../../../test/support/services/service.js'
import { orderCases } from './cases.js'
import type { Subject } from './client.js'
import { tablesOf, type OrdersStore, type StoreOptions } from './store.js'

const script = readFileSync('support/orders/sqlite.sql', 'utf8')

/**
 * What a client of SQLite must show.
 *
 * @param module the address of the client's `connect.ts`, as it is compiled
 */
export async function ordersOnSqlite (
  name: string,
  module: URL,
  { faults }: Pick<Subject, 'faults'> = {}
): Promise<void> {
  await orderCases(t, { name, module, faults }, newFile)
}

async function newFile (t: Test, options?: StoreOptions): Promise<OrdersStore> {
  const file = join(t.testdir(), `${uniqueName()}.db`)
  const other = new Database(file, { timeout: 0 })
  t.teardown(() => { other.close() })
  other.exec(tablesOf(script, options))
  // The file is busy while a client is in a transaction. This process waits for it, without standing in its way.
  const whenFree = async <R>(act: () => R): Promise<R> => (await until('the file is free', () => {
    try {
      return { result: act() }
    } catch (error) {
      if ((error as { code?: string }).code !== 'SQLITE_BUSY') throw error
      return undefined
    }
  })).result
  return {
    address: file,
    act: async (sql) => await whenFree(() => other.exec(sql)),
    rows: async (sql) => await whenFree(() => other.prepare<[], object>(sql).all())
  }
}
