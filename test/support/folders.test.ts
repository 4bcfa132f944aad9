import { execFile } from 'node:child_process'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'

const RUN_FOLDER = resolve('dist/test/support/run-folder.js')

const { default: coverageMap } = await import(resolve('test/coverage-map.js')) as
  { default: (file: string) => string | string[] | null }

/** Runs a folder of such files, and gives the status and what tap printed. */
async function run (cwd: string): Promise<{ code: number, stdout: string }> {
  const script = `const { runFolder } = await import(${JSON.stringify(RUN_FOLDER)})\nawait runFolder('test/unit')`
  return await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], { cwd })
    .then(({ stdout }) => ({ code: 0, stdout }), (error) => error)
}

await t.test('the files of a folder run in one process: a failure names its file, and takes no other along', async (t) => {
  const compiled = {
    'a-fails': 't.test(\'one\', async (t) => { t.equal(1, 2, \'wrong\') })',
    'b-throws': 'throw new Error(\'at its top level\')',
    'c-passes': 't.test(\'another\', async (t) => { t.ok(true, \'right\') })'
  }
  const files = (extension: string): Record<string, string> =>
    Object.fromEntries(
      Object.entries(compiled).map(([name, text]) => [`${name}.test.${extension}`, `import t from 'tap'\n${text}\n`])
    )
  const { code, stdout } = await run(t.testdir({
    test: { unit: files('ts') },
    dist: { test: { unit: files('js') } }
  }))
  t.equal(code, 1)
  t.strictSame(stdout.match(/^ *(not )?ok \d+ - [^#\n]*\w/gm), [
    '        not ok 1 - wrong',
    '    not ok 1 - one',
    'not ok 1 - test/unit/a-fails.test.ts',
    '    not ok 1 - at its top level',
    'not ok 2 - test/unit/b-throws.test.ts',
    '        ok 1 - right',
    '    ok 1 - another',
    'ok 3 - test/unit/c-passes.test.ts'
  ])
})

await t.test('a folder covers what its files cover, and nothing if they cover nothing', async (t) => {
  t.strictSame(coverageMap('dist/test/folders/unit/http.test.js'), [
    'lib/http/accept-encoding.ts',
    'lib/http/entity-tag.ts',
    'lib/http/idempotency-key.ts',
    'lib/http/list-header.ts',
    'lib/http/method.ts',
    'lib/http/precondition.ts',
    'lib/http/prefer.ts'
  ])
  t.strictSame(coverageMap('dist/test/folders/http.test.js'), coverageMap('dist/test/http/reads.test.js'))
  t.equal(coverageMap('dist/test/folders/support.test.js'), null)
})
