import t from 'tap'
import { conformanceSuite } from 'fastify-if-match/conformance'
import { driversOf, type Pool } from '../../support/mysql/drivers.js'
import { subjectsOn } from '../../support/mysql/subjects.js'
import { startMariadb } from '../../support/services/mariadb.js'
import { skipWithout } from '../../support/services/programs.js'
import { startProxy } from '../../support/services/proxy.js'
import { until } from '../../support/until.js'

const skip = skipWithout('mysql')

await t.test('mysql: conformance', { skip }, async (t) => {
  const { url } = await startMariadb(t)
  const steady = driversOf(url)[0]!.pool(t)

  for (const driver of driversOf(url)) {
    await t.test(`mysql: conformance over a pool of ${driver.name}`, async (t) => {
      const proxy = await startProxy(t, url)
      const through = driversOf(proxy.url).find(({ name }) => name === driver.name)!
      // The driver mariadb tries again for so long to connect.
      const bounds = { connectionLimit: 8, ...driver.name === 'mariadb' && { acquireTimeout: 200 } }
      const [one, two] = [through.pool(t, bounds), through.pool(t, bounds)] as [Pool, Pool]
      await conformanceSuite({
        test: (title, run) => t.test(title, run),
        createAdapter: subjectsOn(one, two, steady, async () => {
          await proxy.refuse()
          return async () => {
            await proxy.accept()
            // A pool learns a little later which of its connections are gone.
            for (const pool of [one, two]) {
              const select = async () => await pool.query('SELECT 1')
              await until('each connection answers', async () =>
                await Promise.all(Array.from({ length: 8 }, select)).then(() => true, () => false))
            }
          }
        })
      })
    })
  }
})
