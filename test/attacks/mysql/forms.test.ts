import callbacks from 'mysql2'
import t from 'tap'
import { conformanceSuite } from 'fastify-if-match/conformance'
import { configOf, driversOf } from '../../support/mysql/drivers.js'
import { poolSuite } from '../../support/mysql/pool-suite.js'
import { subjectsOn } from '../../support/mysql/subjects.js'
import { startMariadb } from '../../support/services/mariadb.js'
import { skipWithout } from '../../support/services/programs.js'

// The suite runs over pools of mysql2 with promises in test/engines/mysql.
await t.test('mysql: conformance over other forms of a client', { skip: skipWithout('mysql') }, async (t) => {
  const { url } = await startMariadb(t)
  const steady = driversOf(url)[0]!.pool(t)

  for (const driver of driversOf(url)) {
    await t.test(`mysql: conformance over one connection of ${driver.name}`, async (t) => {
      const [one, two] = [await driver.connect(t), await driver.connect(t)]
      await conformanceSuite({
        test: (title, run) => t.test(title, run),
        createAdapter: subjectsOn(one, two, steady),
        faults: false
      })
    })
  }

  await t.test('mysql: conformance over a pool of mariadb', async (t) => {
    // It tries to connect for so long, in each operation of an outage.
    await poolSuite(t, url, 'mariadb', { acquireTimeout: 1000 })
  })

  await t.test('mysql: conformance over a pool of mysql2 with callbacks', async (t) => {
    const [one, two] = [callbacks.createPool(configOf(url)), callbacks.createPool(configOf(url))]
    t.teardown(() => { for (const pool of [one, two]) pool.end(() => {}) })
    await conformanceSuite({
      test: (title, run) => t.test(title, run),
      createAdapter: subjectsOn(one, two, steady),
      faults: false
    })
  })
})
