import t from 'tap'
import { poolSuite } from '../../support/mysql/pool-suite.js'
import { startMariadb } from '../../support/services/mariadb.js'
import { skipWithout } from '../../support/services/programs.js'

// The suite runs over pools of the driver mariadb, and over single connections, in test/attacks/mysql.
await t.test('mysql: conformance over a pool of mysql2', { skip: skipWithout('mysql') }, async (t) => {
  const { url } = await startMariadb(t)
  await poolSuite(t, url, 'mysql2')
})
