import { readFileSync } from 'node:fs'
import t from 'tap'
import { EntitySchema } from 'typeorm'
import { ABSENT } from '../../test/support/expectations.js'
import { wave } from '../../test/support/table/table.js'
import { numberCases, numbered } from '../support/number-cases.js'
import { Offers, offersAdapter } from './offers-adapter.js'
import { postgresSource } from './pglite.js'
import { sourceOf } from './source.js'

// The model of the guide with a generated id. It has the name of that one, so the adapter of the guide finds it.
function numberedOffers (updatedAt: object): typeof Offers {
  const { options } = Offers
  const id = { type: 'integer', primary: true, generated: 'increment' } as const
  return new EntitySchema({ ...options, columns: { ...options.columns, id, updatedAt: updatedAt as never } })
}

// One engine for all cases, which run one after the other: starting it takes longer than they do.
const updatedAt = { type: 'timestamp', name: 'updated_at', updateDate: true }
const postgres = await postgresSource(t, [numberedOffers(updatedAt)])
const table = readFileSync('drizzle/offers.sql', 'utf8').replace(/id .*/, 'id serial PRIMARY KEY,')

async function openPostgres () {
  await postgres.query('DROP SCHEMA public CASCADE')
  await postgres.query('CREATE SCHEMA public')
  await postgres.query(table.split('CREATE FUNCTION')[0]!)
  return {
    adapter: offersAdapter(postgres, numbered),
    rows: async (sql: string): Promise<unknown[]> => await postgres.query(sql)
  }
}

await numberCases('typeorm on PostgreSQL', openPostgres)
await numberCases('typeorm on SQLite', async (t) => {
  const source = await sourceOf(t, numberedOffers(Offers.options.columns.updatedAt!))
  return { adapter: offersAdapter(source, numbered), rows: async (sql) => await source.query(sql) }
})

await t.test('an insert of TypeORM that names no columns leaves a generated id out on PostgreSQL: the row gets another id, without an error', async (t) => {
  const { rows } = await openPostgres()
  await postgres.manager.insert(Offers, { id: '5', ...wave, version: 'v' })
  t.strictSame(await rows('SELECT id FROM offers'), [{ id: 1 }])
})

await t.test('a sequence does not see the ids of keys: the row that the database makes next may meet one', async (t) => {
  const { adapter, rows } = await openPostgres()
  const made = "INSERT INTO offers (title, price, published) VALUES ('Made', 1, false) RETURNING id"
  await adapter.write('/offers/1', wave, ABSENT)
  await t.rejects(rows(made), { code: '23505' })
  await rows("SELECT setval(pg_get_serial_sequence('offers', 'id'), (SELECT max(id) FROM offers))")
  t.strictSame(await rows(made), [{ id: 2 }])
})
