import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { skipWithout } from '../../test/support/services/programs.js'
import { startPostgres } from '../../test/support/services/postgres.js'

// Shows the traps of postgres that its page names. If a later version behaves otherwise, the page has to change.

await t.test('a connection that is lost inside a transaction ends the process, whatever the app catches', { skip: skipWithout('postgres') }, async (t) => {
  const { url } = await startPostgres(t)
  const script = fileURLToPath(new URL('./lost-connection.js', import.meta.url))
  const { status, stderr } = spawnSync(process.execPath, [script, url], {
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: '' },
    timeout: 60_000
  })
  t.match({ status, stderr }, { status: 1, stderr: /Cannot read properties of null \(reading 'write'\)/ })
})
