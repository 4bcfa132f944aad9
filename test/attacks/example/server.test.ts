import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { start } from '../../support/example/server-process.js'
import { fileOf } from '../../support/sqlite/handles.js'

/** Asserts that a start ends with 1, with one line that matches, and without a greeting. */
async function assertRefusedStart (t: Test, settings: Record<string, string>, message: RegExp): Promise<void> {
  const { exit, log, output } = start(t, settings)
  t.strictSame(await exit, [1, null])
  t.match(log.text(), message)
  t.equal(log.text().split('\n').length, 2, log.text())
  t.equal(output.text(), '')
}

await t.test('an address that it cannot listen on stops the start with one line, told once by all workers', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1')
  t.teardown(() => { taken.close() })
  await once(taken, 'listening')
  const PORT = String((taken.address() as AddressInfo).port)
  const cases: Array<[Record<string, string>, RegExp]> = [
    [{ PORT }, /^PORT names a port that another process listens on/],
    [{ PORT, WORKERS: '2' }, /^PORT names a port that another process listens on/],
    // An address for documentation (RFC 5737), and a name that does not exist (RFC 6761).
    [{ HOST: '192.0.2.1', TOKENS: 'mine=contoso:owner' }, /^HOST names an address that this machine does not have/],
    [{ HOST: 'nowhere.invalid', TOKENS: 'mine=contoso:owner' }, /^HOST names a host /]
  ]
  for (const [settings, message] of cases) {
    await assertRefusedStart(t, { STORAGE: `sqlite:${fileOf(t)}`, ...settings }, message)
  }
})

await t.test('a storage that cannot be used stops the start with one line, told once by all workers', async (t) => {
  const file = fileOf(t)
  writeFileSync(file, 'Dear diary, '.repeat(100))
  for (const WORKERS of ['1', '2']) {
    await assertRefusedStart(t, { STORAGE: `sqlite:${file}`, WORKERS }, /is not an SQLite database/)
    const below = `sqlite:${file}/below.db`
    await assertRefusedStart(t, { STORAGE: below, WORKERS }, /^STORAGE names a file that cannot be opened/)
  }
})
