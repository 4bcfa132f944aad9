import { inspect } from 'node:util'
import pg from 'pg'
import t, { type Test } from 'tap'
import { createStorage } from '../../../example/storage/index.js'
import { SettingError } from '../../../example/storage/setting-error.js'
import {
  assertSilentHostIsGivenUp,
  serverStorageCases,
  type OwnDatabase
} from '../../support/example/server-storage.js'
import { startPostgres } from '../../support/services/postgres.js'
import { skipWithout } from '../../support/services/programs.js'
import { uniqueName } from '../../support/services/service.js'

async function ownDatabase (t: Test): Promise<OwnDatabase> {
  const server = (await startPostgres(t)).url
  const name = uniqueName()
  const observer = new pg.Client({ connectionString: server })
  await observer.connect()
  await observer.query(`CREATE DATABASE ${name}`)
  t.teardown(async () => {
    await observer.query(`DROP DATABASE ${name} WITH (FORCE)`)
    await observer.end()
  })
  const url = new URL(server)
  url.pathname = `/${name}`
  const ofEach = async (expression: string): Promise<number> => {
    const where = `application_name = 'offers-api' AND datname = '${name}'`
    return (await observer.query(`SELECT ${expression} FROM pg_stat_activity WHERE ${where}`)).rows.length
  }
  return {
    url: url.href,
    connections: async () => await ofEach('pid'),
    endConnections: async () => await ofEach('pg_terminate_backend(pid)')
  }
}

await t.test('postgres: an address of another form does not boot, and its password is in no message', async (t) => {
  for (const rest of [
    'user:hush@host:port/offers',
    'user:hush#@host/offers',
    'user:hush@host:99999/offers',
    'user:hush@[::1/offers',
    'user:hush@host/offers?port=x'
  ]) {
    const error = await createStorage(`postgres://${rest}`).then(() => undefined, (error: unknown) => error)
    t.type(error, SettingError, rest)
    t.match(error, { message: /^STORAGE accepts "postgres:\/\/user:password@host:port\/database"/ })
    t.notMatch(inspect(error), /hush/)
  }
})

await t.test('postgres: a host that takes connections and says nothing is given up, and nothing was sent: no unknown outcome', async (t) => {
  await assertSilentHostIsGivenUp(t, 'postgres')
})

await t.test('postgres: with a server', { skip: skipWithout('postgres') }, async (t) => {
  await serverStorageCases(t, await ownDatabase(t))
})
