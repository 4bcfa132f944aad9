import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import t from 'tap'
import { isIfMatchError } from 'fastify-if-match'
import { serve } from '../../../example/process/serve.js'
import { readSettings } from '../../../example/process/settings.js'
import { SettingError } from '../../../example/storage/setting-error.js'
import { fileOf } from '../../support/sqlite/handles.js'

/** The error of a start with these settings. */
async function errorOf (settings: Record<string, string>): Promise<Error | undefined> {
  const all = readSettings({ PORT: '0', STORAGE: 'memory:', LOG_LEVEL: 'silent', ...settings })
  return await serve(all).then(() => undefined, (error: Error) => error)
}

await t.test('an address that it cannot listen on is told with the setting that names it', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1')
  t.teardown(() => { taken.close() })
  await once(taken, 'listening')
  const PORT = String((taken.address() as AddressInfo).port)
  const cases: Array<[Record<string, string>, RegExp]> = [
    [{ PORT }, /^PORT names a port that another process listens on/],
    // An address for documentation (RFC 5737), and a name that does not exist (RFC 6761).
    [{ HOST: '192.0.2.1', TOKENS: 'mine=contoso:owner' }, /^HOST names an address that this machine does not have/],
    [{ HOST: 'nowhere.invalid', TOKENS: 'mine=contoso:owner' }, /^HOST names a host /]
  ]
  for (const [settings, message] of cases) {
    const error = await errorOf(settings)
    t.type(error, SettingError)
    t.match(error?.message, message)
    t.notMatch(error?.message, '\n')
  }
})

await t.test('a storage that cannot be used is told in one line', async (t) => {
  const file = fileOf(t)
  writeFileSync(file, 'Dear diary, '.repeat(100))
  const noDatabase = await errorOf({ STORAGE: `sqlite:${file}` })
  t.ok(isIfMatchError(noDatabase))
  t.match(noDatabase?.message, /is not an SQLite database/)
  const noFile = await errorOf({ STORAGE: `sqlite:${file}/below.db` })
  t.type(noFile, SettingError)
  t.match(noFile?.message, /^STORAGE names a file that cannot be opened/)
  for (const error of [noDatabase, noFile]) t.notMatch(error?.message, '\n')
})
