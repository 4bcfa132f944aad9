import t from 'tap'
import { mysqlAdapter } from '../../../lib/storage/mysql/index.js'
import { loggedWrites } from '../../support/mysql/logged-writes.js'
import { countedPool } from '../../support/mysql/pools.js'
import { openedAdapter } from '../../support/mysql/subjects.js'
import { networkFaults } from '../../support/network-faults.js'
import { startMariadb } from '../../support/services/mariadb.js'
import { skipWithout } from '../../support/services/programs.js'
import { startProxy } from '../../support/services/proxy.js'

await t.test('mysql: connections that are cut, held or half-open', { skip: skipWithout('mysql') }, async (t) => {
  const service = await startMariadb(t, { own: true })

  for (const driver of ['mysql2', 'mariadb']) {
    await t.test(driver, async (t) => {
      const { client: steady } = countedPool(t, driver, service.url)
      await networkFaults(t, async (t, options) => {
        const proxy = await startProxy(t, service.url)
        const { adapter, table } = await openedAdapter(steady)
        const { client, counts, fill } = countedPool(t, driver, proxy.url, options)
        const cut = mysqlAdapter({ client, table, timeout: 3000, lockTimeout: 1500 })
        await cut.open!()
        await cut.read('warm')
        return { proxy, cut, counts, fill, adapter, valuesSoFar: await loggedWrites(steady, table) }
      })
    })
  }
})
