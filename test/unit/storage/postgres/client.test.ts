import { PGlite } from '@electric-sql/pglite'
import pg from 'pg'
import t from 'tap'
import { isClient, isOutsideTransaction, isPgConnection, isPgPool } from '../../../../lib/storage/postgres/client.js'

await t.test('postgres: a value with a method query is a client, and no other value is', async (t) => {
  for (const client of [new pg.Pool(), new pg.Client(), { query () {} }]) t.ok(isClient(client))
  for (const other of [undefined, null, {}, { query: 'SELECT 1' }, 'query']) t.notOk(isClient(other))
})

await t.test('postgres: a Pool and a Client of pg are known from one another and from other clients', async (t) => {
  const clients = [new pg.Pool(), new pg.Client(), Object.create(PGlite.prototype) as PGlite, { query () {} }]
  t.strictSame(clients.map(isPgPool), [true, false, false, false])
  t.strictSame(clients.map(isPgConnection), [false, true, false, false])
})

await t.test('postgres: only a connection of pg tells that it is in no transaction; any other client may be in one', async (t) => {
  const saying = (status: string | null) => ({ getTransactionStatus: () => status })
  t.strictSame([saying('I'), saying('T'), saying('E'), saying(null), {}].map(isOutsideTransaction), [
    true,
    false,
    false,
    false,
    false
  ])
})
