import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { EXPECTED } from '../../support/client/scenario.js'
import { runtimeServer } from '../../support/client/runtime-server.js'
import { openWindow, skipWithoutBrowser, startBrowser } from '../../support/desk/browser.js'
import { findProgram, programOf } from '../../support/services/programs.js'

const RUN_SCENARIO = fileURLToPath(new URL('../../support/client/run-scenario.js', import.meta.url))

/** How a runtime is called, ahead of the file. Deno asks for each right: the client needs the net alone. */
const RUNTIMES = {
  node: [],
  bun: [],
  deno: ['run', '--no-prompt', '--no-config', '--allow-net=127.0.0.1']
} as const

// CI names one at a time, which has to be there then.
const named = process.env['CLIENT_RUNTIME']

for (const [name, args] of Object.entries(RUNTIMES)) {
  if (named !== undefined && named !== name) continue
  const skip = named === undefined && findProgram(name) === undefined && `no ${name} on PATH`
  await t.test(`the client on ${name}: each method, a conflict, an answer that is lost, redirected, too late`, { skip }, async (t) => {
    const { offer } = await runtimeServer(t)
    const folder = mkdtempSync(join(tmpdir(), 'fastify-if-match-'))
    t.teardown(() => { rmSync(folder, { recursive: true, force: true }) })
    const env = { ...process.env, DENO_DIR: folder, DENO_NO_UPDATE_CHECK: '1' }
    const { stdout } = await promisify(execFile)(programOf(name), [...args, RUN_SCENARIO, offer], { env })
    t.strictSame(JSON.parse(stdout), EXPECTED)
  })
}

if (named === undefined) {
  await t.test('the client in Chromium: the same, under the policy of the offer desk', { skip: skipWithoutBrowser() }, async (t) => {
    const { address, offer } = await runtimeServer(t)
    const page = await openWindow(t, await startBrowser(t))
    await page.goto(address)
    const lines = await page.evaluate(`import('/dist/test/support/client/scenario.js').then(
      ({ scenario }) => scenario(${JSON.stringify(offer)}))`)
    t.strictSame(lines, EXPECTED)
  })
}
