import { PGlite } from '@electric-sql/pglite'
import pg from 'pg'
import t from 'tap'
import {
  isClient,
  isInsideTransaction,
  isLeftInTransaction,
  isOutsideTransaction,
  isPgConnection,
  isPgPool
} from '../../../../lib/storage/postgres/client.js'

await t.test('postgres: a value with a method query is a client, and no other value is', async (t) => {
  for (const client of [new pg.Pool(), new pg.Client(), { query () {} }]) t.ok(isClient(client))
  for (const other of [undefined, null, {}, { query: 'SELECT 1' }, 'query']) t.notOk(isClient(other))
})

await t.test('postgres: a Pool and a Client of pg are known from one another and from other clients', async (t) => {
  const clients = [new pg.Pool(), new pg.Client(), Object.create(PGlite.prototype) as PGlite, { query () {} }]
  t.strictSame(clients.map(isPgPool), [true, false, false, false])
  t.strictSame(clients.map(isPgConnection), [false, true, false, false])
})

await t.test('postgres: a connection of pg tells whether it is in a transaction; other clients may be in one or not', async (t) => {
  const saying = (status: string | null) => ({ getTransactionStatus: () => status })
  const clients = [saying('I'), saying('T'), saying('E'), saying(null), {}, null, undefined]
  t.strictSame(clients.map(isOutsideTransaction), [true, false, false, false, false, false, false])
  for (const isInside of [isInsideTransaction, isLeftInTransaction]) {
    const answers = await Promise.all(clients.map(async (client) => await isInside(client)))
    t.strictSame(answers, [false, true, true, false, false, false, false])
  }
})

await t.test('postgres: a PGlite tells, too; a transaction that ends by itself is waited for, and one that was left open stays', async (t) => {
  const liteThat = (...answers: boolean[]) => ({
    isInTransaction () {
      if (answers.length === 0) throw new TypeError('it is closed')
      return answers.shift()
    },
    _runExclusiveTransaction: async (run: () => Promise<boolean>) => await run()
  })
  t.strictSame([liteThat(false), liteThat(true), liteThat()].map(isOutsideTransaction), [true, false, true])
  const clients = [liteThat(false), liteThat(true, false), liteThat(true, true), liteThat()]
  t.strictSame(await Promise.all(clients.map(isLeftInTransaction)), [false, false, true, false])
})
