import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { jobs, planRun, type Suite } from './run-plan.js'
import { SERVICES } from './services/programs.js'

const EVERY_PROGRAM = Object.values(SERVICES).flatMap(({ programs }) => programs)
const SOURCES = [
  'test/unit/errors.test.ts',
  'test/unit/http/method.test.ts',
  'test/unit/http/entity-tag.test.ts',
  'test/unit/http/list-header.test.ts',
  'test/http/answers.test.ts',
  'test/http/reads.test.ts',
  'test/engines/redis/index.test.ts',
  'test/engines/etcd/index.test.ts',
  'test/attacks/redis/kill.test.ts',
  'test/attacks/etcd/kill.test.ts'
]

const JOBS = `--jobs=${jobs()}`

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
    options: [JOBS],
    modules: [
      'dist/test/engines/redis/index.test.js',
      'dist/test/engines/etcd/index.test.js',
      'dist/test/folders/http.test.js',
      'dist/test/unit/errors.test.js',
      'dist/test/folders/unit/http.test.js'
    ],
    notice: undefined
  })
})

await t.test('a part of a folder: each file has a process of its own; with --alone each file of test/unit has', async (t) => {
  const files = ['method', 'entity-tag', 'list-header'].map((name) => `dist/test/unit/http/${name}.test.js`)
  const modules = (...args: string[]): string[] => plan(t, EVERY_PROGRAM, 'checks', args).modules
  t.strictSame(modules('http/method', 'http/entity-tag'), files.slice(0, 2))
  t.strictSame(modules('unit/http', '--alone'), files)
  t.strictSame(modules('test/http', '--alone'), ['dist/test/folders/http.test.js'], 'which no file covers by itself')
  t.strictSame(modules('http/method', 'http/entity-tag', 'list-header'), ['dist/test/folders/unit/http.test.js'])
  t.strictSame(plan(t, EVERY_PROGRAM, 'checks', ['--alone']).options, [JOBS], 'no option of tap, and no part of a path')
})

await t.test('parts of paths select files, of which less is covered; options go to tap', async (t) => {
  t.strictSame(plan(t, EVERY_PROGRAM, 'checks', ['unit/', '--bail', 'engines/etcd']), {
    engines: ['etcd'],
    options: [JOBS, '--allow-incomplete-coverage', '--allow-empty-coverage', '--bail'],
    modules: [
      'dist/test/engines/etcd/index.test.js',
      'dist/test/unit/errors.test.js',
      'dist/test/folders/unit/http.test.js'
    ],
    notice: undefined
  })
})

await t.test('attacks are those of all engines or of one, each with engines of its own, and cover nothing', async (t) => {
  t.strictSame(plan(t, EVERY_PROGRAM, 'attacks', ['redis']), {
    engines: [],
    options: [`--jobs=${jobs()}`, '--disable-coverage'],
    modules: ['dist/test/attacks/redis/kill.test.js'],
    notice: undefined
  })
})

await t.test('what selects nothing is an error, and no run without a test', async (t) => {
  t.throws(() => plan(t, EVERY_PROGRAM, 'attacks', ['mongo']), {
    message: 'No test of "attacks" has mongo in its path.'
  })
})

await t.test('programs are missing: their engines are not started, coverage may be partial, and the notice names both', async (t) => {
  const { engines, options, notice } = plan(t, EVERY_PROGRAM.filter((name) => name !== 'etcd'), 'checks')
  t.strictSame([engines, options[1]], [['redis', 'redis-cluster'], '--allow-incomplete-coverage'])
  t.match(notice, /no etcd on PATH, so the tests that need etcd\nwere skipped/)
})

await t.test('REQUIRE_SERVICES=1: full coverage is enforced, whatever is missing', async (t) => {
  const { options, notice } = plan(t, [], 'checks', [], true)
  t.strictSame([options, notice], [[JOBS], undefined])
})
