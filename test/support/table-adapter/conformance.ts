import type { Test } from 'tap'
import type { StorageAdapter } from 'fastify-if-match'
import { conformanceSuite } from 'fastify-if-match/conformance'
import { tableAdapter } from '../../../lib/storage/table/index.js'
import { uniqueName } from '../services/service.js'
import { IN_COLUMN, inColumn } from './in-column.js'
import { TYPES, type TableEngine } from './engine.js'

const TABLES = {
  postgres: 'id text COLLATE "C" PRIMARY KEY, value json NOT NULL',
  sqlite: 'id text PRIMARY KEY, value text NOT NULL',
  mysql: 'id varbinary(1100) PRIMARY KEY, value longtext COLLATE utf8mb4_nopad_bin NOT NULL'
}

/** What is special about the table of a suite. */
export interface ConformanceTable { deleted?: string }

/**
 * The conformance suite on one table, whose migration is what `migration` prints. Each store has ids of its own.
 *
 * @param cut begins an outage of both clients, and gives what ends it
 */
export async function conformance (
  t: Test,
  { dialect, client, other, run }: TableEngine,
  cut: () => Promise<() => Promise<void>>,
  more: ConformanceTable = {}
): Promise<void> {
  const table = uniqueName()
  const mark = more.deleted === undefined ? '' : `, ${more.deleted} ${TYPES[dialect].time} NULL`
  await run(`CREATE TABLE ${table} (${TABLES[dialect]}${mark})`)
  let stores = 0
  const adapterOn = (client: object, store: string): StorageAdapter & { migration: () => string[] } => {
    const adapter = tableAdapter({
      client,
      dialect,
      table,
      id: 'id',
      version: 'row_version',
      replaced: 'replaced',
      digest: 'digest',
      columns: IN_COLUMN,
      key: (key) => ({ id: store + key }),
      ...more
    })
    return { ...inColumn(adapter), migration: adapter.migration }
  }
  for (const statement of adapterOn(client, '').migration()) await run(statement)
  await conformanceSuite({
    test: (title, run) => t.test(title, run),
    list: false,
    createAdapter: async () => {
      const store = `${++stores}:`
      return { adapter: adapterOn(client, store), another: async () => adapterOn(other, store), cut }
    }
  })
}
