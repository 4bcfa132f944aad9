import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { start } from '../../support/example/server-process.js'
import { startPostgres } from '../../support/services/postgres.js'
import { skipWithoutOwn } from '../../support/services/programs.js'

await t.test('postgres: the server hangs: SIGTERM ends the process all the same', { skip: skipWithoutOwn('postgres') }, async (t) => {
  const service = await startPostgres(t, { own: true })
  const { child, exit, output, log } = start(t, { STORAGE: service.url })
  await output.says(/listens at/)
  service.pause()
  t.teardown(() => { service.resume() })
  child.kill('SIGTERM')
  const gaveUp = new AbortController()
  t.strictSame(await Promise.race([exit, delay(60_000, 'it hangs', { signal: gaveUp.signal })]), [0, null], log.text())
  gaveUp.abort()
})
