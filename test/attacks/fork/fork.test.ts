import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { emptyFolder, fork, link, npmThat, run, startFork } from '../../support/forked.js'
import { until } from '../../support/until.js'

// FORK=whole installs over npm, and runs all tests of the fork and its lint: four minutes of a core more.
const IS_WHOLE = process.env['FORK'] === 'whole'

// One file of each kind: the routes, the concurrency, what a test generates, a client, the page, and a page of docs.
const SOME = ['app/offers', 'clients/mash', 'desk/served', 'readings']

await t.test('fork: into an empty folder; it builds, starts, refuses a lost update, serves its page, and passes its tests there', async (t) => {
  const folder = emptyFolder(t)
  const mine = join(folder, 'mine')
  const { code, stdout, stderr } = await run('npm', ['run', 'fork', '--', mine])
  t.equal(code, 0, stderr)
  t.match(stdout, `A fork of the reference server is in ${mine}.`)
  t.strictSame(readdirSync(folder), ['mine'])
  t.strictSame(readdirSync(mine).sort(), [
    '.gitignore', 'LICENSE', 'README.md', 'docs', 'eslint.config.js', 'package-lock.json', 'package.json', 'src',
    'test', 'tsconfig.build.json', 'tsconfig.json', 'tsconfig.test.json', 'vendor'
  ])
  if (IS_WHOLE) t.match(await run('npm', ['ci', '--prefer-offline'], { cwd: mine }), { code: 0 })
  else link(mine)

  await t.test('npm start', async (t) => {
    const origin = await startFork(t, mine)
    t.equal((await fetch(`${origin}/health`)).status, 200)
    const url = `${origin}/api/publishers/contoso/offers/wave-db?api-version=2017-10-31`
    const put = async (headers: Record<string, string>): Promise<Response> => await fetch(url, {
      method: 'PUT',
      headers: { authorization: 'Bearer dev-contoso', 'content-type': 'application/json', ...headers },
      body: '{"offerTypeId":"microsoft-azure-virtualmachines","definition":{"displayText":"Wave DB"}}'
    })
    t.match(await (await put({})).json(), { error: { code: 'MissingIfMatch' } })
    const created = await put({ 'if-none-match': '*' })
    t.equal(created.status, 201)
    const tag = created.headers.get('etag')!
    const saved = await put({ 'if-match': tag })
    t.equal(saved.status, 200)
    const refused = await put({ 'if-match': tag })
    t.equal(refused.status, 412)
    t.equal(refused.headers.get('etag'), saved.headers.get('etag'))
    t.ok(readdirSync(join(mine, 'data')).includes('offers.db'), 'stored in its own folder')
    const page = await (await fetch(`${origin}/`)).text()
    for (const [, path] of page.matchAll(/(?:href|src)="(\/desk\/[^"]+)"/g)) {
      t.equal((await fetch(origin + path)).status, 200, path!)
    }
  })

  await t.test('npm test', async (t) => {
    const files = IS_WHOLE ? [] : SOME.map((name) => `dist/test/${name}.test.js`)
    const { code, stdout } = await run('npm', ['test', '--', '--reporter=tap', ...files], {
      cwd: mine,
      env: { TAP: '0' }
    })
    t.equal(code, 0, stdout.split('\n').filter((line) => /not ok/.test(line)).join('\n') || stdout.slice(-2000))
    t.equal(stdout.match(/^ok /gm)?.length, IS_WHOLE ? testsOf(mine) : SOME.length)
  })

  if (IS_WHOLE) t.match(await run('npm', ['run', 'lint'], { cwd: mine }), { code: 0 }, 'npm run lint')
})

/** How many files of tests a fork has. */
function testsOf (folder: string): number {
  const names = readdirSync(join(folder, 'test'), { recursive: true, encoding: 'utf8' })
  return names.filter((name) => name.endsWith('.test.ts')).length
}

await t.test('fork: no folder, one that is not empty and one in the repository are refused with one line, and nothing is written', async (t) => {
  const folder = emptyFolder(t)
  writeFileSync(join(folder, 'a.txt'), 'mine')
  for (const [args, line] of [
    [[], /^Name the folder of the fork, such as \.\.\/mine: .*\n$/],
    [[folder], /^\S+ is not empty, .*\n$/],
    [['example'], /^\S+ is inside this repository: .*\n$/],
    [['build/mine'], /^There is no folder .*\n$/],
    [[join(folder, 'a'), '--force'], /^There is no option --force: .*\n$/]
  ] as const) {
    const { code, stdout, stderr } = await fork(args)
    t.strictSame([code, stdout], [1, ''])
    t.match(stderr, line)
  }
  const there = await fork(['a.txt'], { INIT_CWD: folder })
  t.match(there.stderr, `${join(folder, 'a.txt')} is no folder`, 'as seen from where the person calls npm')
  t.strictSame(readdirSync(folder), ['a.txt'])
})

await t.test('fork: where npm fails nothing is left behind, and an empty folder stays empty', async (t) => {
  const folder = emptyFolder(t)
  const mine = join(folder, 'mine')
  mkdirSync(mine)
  const failing = npmThat(emptyFolder(t), "console.error('npm error no space left'); process.exit(1)")
  const failed = await fork([mine], failing)
  t.equal(failed.code, 1)
  t.match(failed.stderr, /^There is no fork: Command failed: [^]*no space left/)
  t.notMatch(failed.stderr, /^ {4}at /m)
  t.strictSame([readdirSync(folder), readdirSync(mine)], [['mine'], []])
})

await t.test('fork: --published of a version that the registry lacks is refused in a sentence, and nothing is left behind', async (t) => {
  const folder = emptyFolder(t)
  const lacking = npmThat(emptyFolder(t), "console.error('npm error code E404'); process.exit(1)")
  const { code, stderr } = await fork([join(folder, 'mine'), '--published'], lacking)
  t.equal(code, 1)
  t.match(stderr, /^fastify-if-match \S+ is not in the registry: leave out --published, .*\n$/)
  t.strictSame(readdirSync(folder), [])
})

await t.test('fork: stopped by a signal it leaves nothing behind', async (t) => {
  const folder = emptyFolder(t)
  const beside = emptyFolder(t)
  const hanging = npmThat(beside, `
    import { writeFileSync } from 'node:fs'
    writeFileSync(${JSON.stringify(join(beside, 'parent'))}, String(process.ppid))
    setInterval(() => {}, 1000)
  `)
  const forked = fork([join(folder, 'mine')], hanging)
  const parent = join(beside, 'parent')
  const pid = await until('npm runs', () => {
    const written = existsSync(parent) ? Number(readFileSync(parent, 'utf8')) : 0
    return written > 0 && written
  })
  t.match(readdirSync(folder), [/^mine\.unfinished-/])
  process.kill(pid, 'SIGTERM')
  t.match(await forked, { code: 1, stdout: '', stderr: 'Stopped: there is no fork.\n' })
  t.strictSame(readdirSync(folder), [])
})
