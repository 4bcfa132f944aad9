import t from 'tap'
import { conformanceSuite } from 'fastify-if-match/conformance'
import { itemsAdapter, schemaOf } from '../../support/transactions/items.js'
import { poolTo, QUICK } from '../../support/postgres/subjects.js'
import { startPostgres } from '../../support/services/postgres.js'
import { skipWithout } from '../../support/services/programs.js'
import { uniqueName } from '../../support/services/service.js'

// What a transaction keeps of the last write, beside triggers that move the version with each UPDATE.
await t.test('the last write on PostgreSQL', { skip: skipWithout('postgres') }, async (t) => {
  const { url } = await startPostgres(t)
  const [pool, other] = [poolTo(t, url, { ...QUICK, max: 16 }), poolTo(t, url, { ...QUICK, max: 16 })]

  // A table of its own has no trigger: one level will do.
  const LEVELS = { table: ['SERIALIZABLE'], columns: ['READ COMMITTED', 'SERIALIZABLE'] } as const
  for (const lastWrites of ['table', 'columns'] as const) {
    for (const level of LEVELS[lastWrites]) {
      await t.test(`kept in ${lastWrites}, at ${level}`, async (t) => {
        await conformanceSuite({
          test: (title, run) => t.test(title, run),
          list: false,
          faults: false,
          transactions: true,
          async createAdapter () {
            const name = uniqueName()
            await pool.query(schemaOf(name, lastWrites))
            const begin = `BEGIN ISOLATION LEVEL ${level}`
            return {
              adapter: itemsAdapter(pool, name, begin, lastWrites),
              another: async () => itemsAdapter(other, name, begin, lastWrites),
              close: async () => { await pool.query(`DROP TABLE ${name}_parts, ${name}_writes, ${name} CASCADE`) }
            }
          }
        })
      })
    }
  }
})
