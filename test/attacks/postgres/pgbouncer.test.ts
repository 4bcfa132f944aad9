import t from 'tap'
import { conformanceSuite } from 'fastify-if-match/conformance'
import { ANY, versionIn } from '../../support/expectations.js'
import { NotingClient, openedAdapter, poolTo, subjectsOn, warningsOf } from '../../support/postgres/subjects.js'
import { startPgbouncer } from '../../support/services/pgbouncer.js'
import { startPostgres } from '../../support/services/postgres.js'
import { skipWithout } from '../../support/services/programs.js'

await t.test('postgres: behind PgBouncer in transaction mode', { skip: skipWithout('postgres', 'pgbouncer') }, async (t) => {
  const { url } = await startPostgres(t)
  // Fewer connections to the server than to the pooler, so that each statement may go over another one.
  const bouncer = await startPgbouncer(t, url, { settings: { default_pool_size: '3' } })

  await t.test('conformance', async (t) => {
    await conformanceSuite({
      test: (title, run) => t.test(title, run),
      createAdapter: subjectsOn(poolTo(t, bouncer.url), poolTo(t, bouncer.url), poolTo(t, url)),
      faults: false
    })
  })

  await t.test('once a prepared statement is not found none is used again, with one warning, and nothing is lost or done twice', async (t) => {
    const pool = poolTo(t, bouncer.url)
    const client = new NotingClient(pool)
    const { adapter } = await openedAdapter(client, { prepared: true })
    const raise = async () => {
      for (let raised = 0; raised < 20;) {
        const current = (await adapter.read('counter'))!
        const result = await adapter.write('counter', Number(current.value) + 1, versionIn(current.version))
        if (result.applied) raised++
      }
    }
    const warnings = await warningsOf(async () => {
      await adapter.write('counter', 0, ANY)
      await Promise.all(Array.from({ length: 6 }, raise))
    })
    t.equal((await adapter.read('counter'))?.value, 120)
    const prepared = warnings.filter(({ code }) => code === 'FST_IF_MATCH_POSTGRES_UNPREPARED')
    t.equal(prepared.length, 1, 'PgBouncer before 1.21')
    client.names.length = 0
    await adapter.read('counter')
    t.strictSame(client.names, [undefined])
  })

  await t.test('a lock bound of one statement does not stay on the server connection that the next client gets', async (t) => {
    const { adapter } = await openedAdapter(poolTo(t, bouncer.url), { lockTimeout: 77 })
    await Promise.all(Array.from({ length: 16 }, (_, index) => adapter.write(`k${index}`, index, ANY)))
    const pool = poolTo(t, bouncer.url)
    const shown = await Promise.all(Array.from({ length: 8 }, () => pool.query('SHOW lock_timeout')))
    for (const { rows } of shown) t.same(rows, [{ lock_timeout: '0' }])
  })
})
