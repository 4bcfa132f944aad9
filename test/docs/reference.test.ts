import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { errorCodes } from 'fastify-if-match'
import { IF_MATCH_OPTIONS } from '../../lib/options.js'

function rows (file: string): string[][] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) =>
      line
        .split(/(?<!\\)\|/)
        .slice(1, -1)
        .map((cell) => cell.trim())
    )
}

const names = (file: string): string[] => rows(file).map(([name]) => name!.replaceAll('`', ''))

await t.test('docs: the page of errors has every code with its status, and no other', async (t) => {
  t.same(names('docs/reference/errors.md').sort(), Object.keys(errorCodes).sort())
  for (const [code, status] of rows('docs/reference/errors.md')) {
    const error = new errorCodes[code!.replaceAll('`', '') as keyof typeof errorCodes]()
    t.equal(error.code, code!.replaceAll('`', ''), 'key and code agree')
    t.equal(String(error.statusCode), status!.slice(0, 3), code!)
  }
})

await t.test('docs: the page of options and the README have every option, and no other', async (t) => {
  t.same(names('docs/reference/options.md'), IF_MATCH_OPTIONS)
  t.same(names('README.md').filter((name) => !name.includes('/')), IF_MATCH_OPTIONS)
})

await t.test('docs: links lead somewhere, and the tests that are named exist', async (t) => {
  const pages = [
    'README.md',
    'CHANGELOG.md',
    'bench/README.md',
    'example/README.md',
    ...readdirSync('docs', { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.md'))
      .map((name) => join('docs', name))
  ]
  for (const page of pages) {
    const content = readFileSync(page, 'utf8')
    for (const [, target] of content.matchAll(/\]\((?!https?:)([^)#]+)[^)]*\)/g)) { t.ok(existsSync(join(dirname(page), target!)), `${page}: ${target}`) }
    for (const [, target] of content.matchAll(/`(test\/[^`]+)`/g)) t.ok(existsSync(target!), `${page}: ${target}`)
  }
})

await t.test('docs: every guide is linked from the README', async (t) => {
  const readme = readFileSync('README.md', 'utf8')
  for (const guide of readdirSync('docs/guides')) t.ok(readme.includes(`](docs/guides/${guide})`), guide)
})

await t.test('docs: every subpath of the package is an import that the README or the docs name', async (t) => {
  const { exports } = JSON.parse(readFileSync('package.json', 'utf8')) as { exports: Record<string, unknown> }
  const text = ['README.md', 'docs/reference/storage-adapter.md'].map((page) => readFileSync(page, 'utf8')).join()
  for (const path of Object.keys(exports)) {
    if (path !== './package.json') t.match(text, path.replace('.', 'fastify-if-match'), path)
  }
})
