import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { SERVICES } from './services/programs.js'

const RUN = fileURLToPath(new URL('run.ts', import.meta.url))
const EVERY_PROGRAM = Object.values(SERVICES).flatMap(({ programs }) => programs)

/** What `npm test` asks of tap and says, where these programs are and tap exits with this status. */
function run (t: Test, programs: readonly string[], variables: Record<string, string> = {}, status = 0): { status: number | null, asked: string, said: string } {
  const PATH = t.testdir()
  for (const name of [...programs, 'tap']) writeFileSync(join(PATH, name), `#!/bin/sh\necho "$@"; exit ${status}\n`, { mode: 0o755 })
  const { stdout, ...child } = spawnSync(process.execPath, [...process.execArgv, RUN, 'one.test.ts', '--bail'], { env: { PATH, ...variables }, encoding: 'utf8' })
  t.equal(child.stderr, '')
  const [asked, ...said] = stdout.split('\n') as [string, ...string[]]
  return { status: child.status, asked, said: said.join('\n').trim() }
}

await t.test('all programs are there or a server is given: tap gets the arguments and enforces full coverage, and its failure stays one', (t) => {
  const programs = EVERY_PROGRAM.filter((program) => program !== 'etcd')
  t.strictSame(run(t, programs, { ETCD_URL: 'http://127.0.0.1:1' }, 3), { status: 3, asked: 'one.test.ts --bail', said: '' })
  t.end()
})

await t.test('some are missing: it names them and what was skipped, says that coverage is partial, and lets that pass', (t) => {
  const { status, asked, said } = run(t, EVERY_PROGRAM.filter((program) => !['etcd', 'redis-cli'].includes(program)))
  t.strictSame([status, asked], [0, '--allow-incomplete-coverage one.test.ts --bail'])
  t.match(said, /no redis-cli, etcd on PATH, so the tests that need redis-cluster, etcd were skipped/)
  t.match(said, /coverage is partial/)
  t.end()
})

await t.test('REQUIRE_SERVICES=1: full coverage is enforced, whatever is missing', (t) => {
  t.strictSame(run(t, [], { REQUIRE_SERVICES: '1' }), { status: 0, asked: 'one.test.ts --bail', said: '' })
  t.end()
})
