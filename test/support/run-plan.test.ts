import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { jobs, planRun, type Suite } from './run-plan.js'
import { SERVICES } from './services/programs.js'

const EVERY_PROGRAM = Object.values(SERVICES).flatMap(({ programs }) => programs)
const SOURCES = [
  'test/unit/errors.test.ts',
  'test/engines/redis/index.test.ts',
  'test/engines/etcd/index.test.ts',
  'test/attacks/redis/kill.test.ts',
  'test/attacks/etcd/kill.test.ts'
]

const JOBS = `--jobs=${jobs('checks')}`

/** Plans a run where these programs are. */
function plan (t: Test, programs: readonly string[], suite: Suite, args: string[] = [], isStrict = false) {
  const folder = join(t.testdir(), 'bin')
  mkdirSync(folder)
  for (const name of programs) writeFileSync(join(folder, name), '', { mode: 0o755 })
  const before = process.env['PATH']
  t.teardown(() => { process.env['PATH'] = before })
  process.env['PATH'] = folder
  return planRun(suite, SOURCES, args, isStrict)
}

await t.test('the checks are all files but the attacks, the slow ones first, on the engines that they need, and must cover all', async (t) => {
  t.strictSame(plan(t, EVERY_PROGRAM, 'checks'), {
    engines: ['redis', 'redis-cluster', 'etcd'],
    tap: [
      JOBS,
      'dist/test/engines/redis/index.test.js',
      'dist/test/engines/etcd/index.test.js',
      'dist/test/unit/errors.test.js'
    ],
    notice: undefined
  })
})

await t.test('parts of paths select files, of which less is covered; options go to tap', async (t) => {
  t.strictSame(plan(t, EVERY_PROGRAM, 'checks', ['unit/', '--bail', 'engines/etcd']), {
    engines: ['etcd'],
    tap: [
      JOBS,
      '--allow-incomplete-coverage',
      '--allow-empty-coverage',
      '--bail',
      'dist/test/engines/etcd/index.test.js',
      'dist/test/unit/errors.test.js'
    ],
    notice: undefined
  })
})

await t.test('attacks are those of all engines or of one, each with engines of its own, and cover nothing', async (t) => {
  t.strictSame(plan(t, EVERY_PROGRAM, 'attacks', ['redis']), {
    engines: [],
    tap: [`--jobs=${jobs('attacks')}`, '--disable-coverage', 'dist/test/attacks/redis/kill.test.js'],
    notice: undefined
  })
})

await t.test('what selects nothing is an error, and no run without a test', async (t) => {
  t.throws(() => plan(t, EVERY_PROGRAM, 'attacks', ['mongo']), {
    message: 'No test of "attacks" has mongo in its path.'
  })
})

await t.test('programs are missing: their engines are not started, coverage may be partial, and the notice names both', async (t) => {
  const { engines, tap, notice } = plan(t, EVERY_PROGRAM.filter((name) => name !== 'etcd'), 'checks')
  t.strictSame([engines, tap[1]], [['redis', 'redis-cluster'], '--allow-incomplete-coverage'])
  t.match(notice, /no etcd on PATH, so the tests that need etcd\nwere skipped/)
})

await t.test('REQUIRE_SERVICES=1: full coverage is enforced, whatever is missing', async (t) => {
  const { tap, notice } = plan(t, [], 'checks', [], true)
  t.strictSame([tap[1], notice], ['dist/test/engines/redis/index.test.js', undefined])
})
