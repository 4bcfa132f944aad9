import type { Test } from 'tap'
import { conformanceSuite } from 'fastify-if-match/conformance'
import { driversOf, type Pool } from './drivers.js'
import { subjectsOn } from './subjects.js'
import { startProxy } from '../services/proxy.js'
import { until } from '../until.js'

/** The conformance suite, outages included, over pools of a driver (`'mysql2'` or `'mariadb'`) to the server there. */
export async function poolSuite (t: Test, url: string, name: string, bounds: object = {}): Promise<void> {
  const proxy = await startProxy(t, url)
  const through = driversOf(proxy.url).find((driver) => driver.name === name)!
  const options = { connectionLimit: 8, ...bounds }
  const [one, two] = [through.pool(t, options), through.pool(t, options)] as [Pool, Pool]
  await conformanceSuite({
    test: (title, run) => t.test(title, run),
    createAdapter: subjectsOn(one, two, driversOf(url)[0]!.pool(t), async () => {
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
}
