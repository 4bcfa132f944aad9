import { inspect } from 'node:util'
import mysql2 from 'mysql2/promise'
import t, { type Test } from 'tap'
import { createStorage } from '../../../example/storage/index.js'
import { SettingError } from '../../../example/storage/setting-error.js'
import { ANY } from '../../support/expectations.js'
import {
  assertSilentHostIsGivenUp,
  serverStorageCases,
  type OwnDatabase
} from '../../support/example/server-storage.js'
import { placeIn } from '../../support/example/storage.js'
import { rowsOf } from '../../support/mysql/drivers.js'
import { startMariadb } from '../../support/services/mariadb.js'
import { skipWithout } from '../../support/services/programs.js'

const SCHEMES = ['mysql', 'mariadb']

async function ownDatabase (t: Test, scheme: string): Promise<OwnDatabase> {
  const server = (await startMariadb(t)).url
  const url = await placeIn(t, server)
  const observer = await mysql2.createConnection({ uri: server })
  t.teardown(async () => { await observer.end() })
  const ids = async (): Promise<unknown[]> => {
    const query = 'SELECT id FROM information_schema.processlist WHERE db = ?'
    return rowsOf(await observer.query(query, [new URL(url).pathname.slice(1)])).map(({ id }) => id)
  }
  return {
    url: url.replace('mysql', scheme),
    connections: async () => (await ids()).length,
    async endConnections () {
      const all = await ids()
      for (const id of all) await observer.query(`KILL ${id}`)
      return all.length
    }
  }
}

await t.test('mysql: an address of another form does not boot, and its password is in no message', async (t) => {
  for (const scheme of SCHEMES) {
    for (const rest of [
      'user:hush@host:port/offers',
      'user:hush#@host/offers',
      'user:hush@host:99999/offers',
      'user:hush@[::1/offers',
      'user:hush@host',
      'user:hush@host,other/offers',
      'user:hush@host/offers?ssl-mode=PREFERRED',
      'user:hush@10.0.0.1/offers?ssl-mode=VERIFY_IDENTITY',
      'user:hush@host/offers?multipleStatements=true'
    ]) {
      const error = await createStorage(`${scheme}://${rest}`).then(() => undefined, (error: unknown) => error)
      t.type(error, SettingError, rest)
      t.match(error, { message: /^STORAGE accepts "mysql:\/\/user:password@host:port\/database/ })
      t.notMatch(inspect(error), /hush/)
    }
  }
})

for (const scheme of SCHEMES) {
  await t.test(`${scheme}: a host that takes connections and says nothing is given up, and nothing was sent: no unknown outcome`, async (t) => {
    await assertSilentHostIsGivenUp(t, scheme)
  })

  await t.test(`${scheme}: with a server`, { skip: skipWithout('mysql') }, async (t) => {
    const own = await ownDatabase(t, scheme)
    await serverStorageCases(t, own)

    await t.test('with ssl-mode=VERIFY_IDENTITY a server without TLS is not used', async (t) => {
      const storage = await createStorage(`${own.url.replace('127.0.0.1', 'localhost')}?ssl-mode=VERIFY_IDENTITY`)
      await t.rejects(storage.write('/a', 'plain', ANY), { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE' })
      t.equal(await own.connections(), 0)
      await storage.close?.()
    })
  })
}
