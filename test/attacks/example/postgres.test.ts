import t from 'tap'
import { assertEndsWhileEngineHangs } from '../../support/example/outages.js'
import { startPostgres } from '../../support/services/postgres.js'
import { skipWithoutOwn } from '../../support/services/programs.js'

await t.test('postgres: the server hangs: SIGTERM ends the process all the same', { skip: skipWithoutOwn('postgres') }, async (t) => {
  const service = await startPostgres(t, { own: true })
  await assertEndsWhileEngineHangs(t, service, service.url)
})
