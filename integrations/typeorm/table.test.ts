import type { Test } from 'tap'
import { noHooks } from '../../test/support/table/table.js'
import { offer } from '../offer.js'
import { clientCases } from '../support/client-cases.js'
import type { ClientTable } from '../support/client-table.js'
import { offersAdapter } from './offers-adapter.js'
import { newFile, sourceOn } from './source.js'

async function openTable (t: Test): Promise<ClientTable> {
  const { file, other } = newFile(t)
  const source = await sourceOn(t, file)
  // A source has one connection, so transactions get a source of their own: engine-facts#typeorm-one-connection.
  const transactions = await sourceOn(t, file)
  const hooks = noHooks()
  source.subscribers.push({
    beforeQuery: async ({ query }) => { await hooks.before(query) },
    afterQuery: async ({ query, success }) => { if (success) await hooks.after(query) }
  })
  return {
    adapter: offersAdapter(source, offer),
    hooks,
    act: async (sql) => other.exec(sql),
    rows: async (sql) => other.prepare(sql).all(),
    transaction: async (run) => await transactions.transaction(async (manager) =>
      await run(manager, async (text) => await manager.query('INSERT INTO notes VALUES (?)', [text])))
  }
}

await clientCases('typeorm', openTable)
