import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { errorCodes } from 'fastify-if-match'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { IF_MATCH_OPTIONS } from '../../lib/settings.js'
import { offersApp, seed } from '../support/offers-app.js'

const BELOW_DOCS = readdirSync('docs', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.md'))
  .map((name) => join('docs', name))
const PAGES = [
  'README.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'bench/README.md',
  'example/README.md',
  'integrations/README.md',
  ...BELOW_DOCS
]

const { exports, homepage, scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as
  { exports: Record<string, unknown>, homepage: string, scripts: Record<string, string> }

/** The cells of the table rows of a page whose first cell begins like this, as a regular expression. */
function rows (file: string, beginning: string): string[][] {
  const row = new RegExp(`^\\| ${beginning}`)
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => row.test(line))
    .map((line) => line.split(/(?<!\\)\|/).slice(1, -1).map((cell) => cell.trim()))
}

const names = (file: string): string[] => rows(file, '`').map(([name]) => name!.replaceAll('`', ''))

/** Where the repository shows its files: pages of the package link there to what is not in it. */
const REPOSITORY = homepage.replace('#readme', '/blob/main/')

/** The addresses that a page links to, in place or below. */
function addressesIn (page: string): string[] {
  const text = readFileSync(page, 'utf8')
  const found = [...text.matchAll(/\]\(([^)\s]+)\)/g), ...text.matchAll(/^\[[^\]]+\]: (\S+)$/gm)]
  return found.map(([, address]) => address!)
}

const isAbsolute = (address: string): boolean => /^https?:/.test(address)

/** The files of this project that a page links to, as paths from the root with the part behind `#`. */
function filesIn (page: string): Array<[string, string | undefined]> {
  const own = addressesIn(page).filter((address) => !isAbsolute(address) || address.startsWith(REPOSITORY))
  return own.map((address) => {
    const [path, heading] = address.replace(REPOSITORY, '').split('#')
    return [isAbsolute(address) ? path! : path === '' ? page : join(dirname(page), path!), heading]
  })
}

const linksOf = (page: string): string[] => filesIn(page).map(([path]) => path)

/** The names by which a page can be entered: its headings, as hosts of repositories write them. */
function anchorsOf (page: string): string[] {
  return [...readFileSync(page, 'utf8').matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    heading!.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, '').replaceAll(' ', '-'))
}

/** The files and folders that a page names, `like/this.ts`: a module also without its `.ts`. */
function namedBy (text: string): string[] {
  const found = text.matchAll(/`((?:lib|example|integrations|test|bench|docs|\.ci)\/[^`\s]*)`/g)
  return [...found].map(([, path]) => path!).filter((path) => !/[<>{}*…]/.test(path) && !path.includes('/acme'))
}

const isThere = (path: string): boolean => existsSync(path) || existsSync(`${path}.ts`)

await t.test('docs: the page of errors has every code with its status, and no other', async (t) => {
  t.same(names('docs/reference/errors.md').sort(), Object.keys(errorCodes).sort())
  for (const [code, status] of rows('docs/reference/errors.md', '`')) {
    const error = new errorCodes[code!.replaceAll('`', '') as keyof typeof errorCodes]()
    t.equal(error.code, code!.replaceAll('`', ''), 'key and code agree')
    t.equal(String(error.statusCode), status!.slice(0, 3), code!)
  }
})

await t.test('docs: the page of options and the README have every option, and no other', async (t) => {
  t.same(names('docs/reference/options.md'), IF_MATCH_OPTIONS)
  t.same(names('README.md').filter((name) => !name.includes('/')), IF_MATCH_OPTIONS)
})

await t.test('docs: links lead somewhere', async (t) => {
  for (const page of PAGES) {
    for (const [target, heading] of filesIn(page)) {
      t.ok(existsSync(target), `${page}: ${target}`)
      if (heading !== undefined) t.ok(anchorsOf(target).includes(heading), `${page}: ${target}#${heading}`)
    }
    const text = readFileSync(page, 'utf8')
    for (const [, name] of text.matchAll(/\]\[([^\]]+)\]/g)) t.ok(text.includes(`\n[${name}]: `), `${page}: [${name}]`)
  }
})

await t.test('docs: a page of the package links to what is in the package, or to an absolute address', async (t) => {
  const [{ files }] = JSON.parse(
    execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { encoding: 'utf8', stdio: 'pipe' })
  ) as [{ files: Array<{ path: string }> }]
  const packed = files.map(({ path }) => path)
  const pages = packed.filter((path) => path.endsWith('.md'))
  t.ok(pages.includes('README.md') && pages.includes('docs/guides/orm.md'))
  for (const page of pages) {
    for (const address of addressesIn(page).filter((address) => !isAbsolute(address) && !address.startsWith('#'))) {
      t.ok(packed.includes(join(dirname(page), address.split('#')[0]!)), `${page}: ${address}`)
    }
  }
})

await t.test('docs: files that a page names exist', async (t) => {
  for (const page of PAGES) {
    for (const path of namedBy(readFileSync(page, 'utf8'))) t.ok(isThere(path), `${page}: ${path}`)
  }
  const text = '`lib/plugin` and `test/docs/`, but `lib/nowhere.ts`, `test/engines/<engine>/race.test.ts`'
  t.strictSame(namedBy(text).map(isThere), [true, true, false])
})

await t.test('docs: scripts that a page names exist', async (t) => {
  for (const page of PAGES) {
    for (const [, script] of readFileSync(page, 'utf8').matchAll(/\bnpm run ([\w:-]+)/g)) {
      t.ok(script! in scripts, `${page}: npm run ${script}`)
    }
  }
})

await t.test('docs: the map links every page below docs/, and the README every guide', async (t) => {
  const map = linksOf('docs/README.md')
  const isListed = (page: string): boolean => page === 'docs/README.md' || /^docs\/decisions\/\d/.test(page)
  t.strictSame(BELOW_DOCS.filter((page) => !map.includes(page) && !isListed(page)), [])
  const pages = readdirSync('docs/guides').filter((name) => name.endsWith('.md'))
  const guides = pages.map((name) => join('docs/guides', name))
  t.strictSame(guides.filter((guide) => !linksOf('README.md').includes(guide)), [])
})

await t.test('docs: every subpath of the package is an import that the README or the docs name', async (t) => {
  const text = ['README.md', 'docs/reference/storage-adapter.md'].map((page) => readFileSync(page, 'utf8')).join()
  for (const path of Object.keys(exports)) {
    if (path !== './package.json') t.match(text, path.replace('.', 'fastify-if-match'), path)
  }
})

/** The status that a request gets; `header` is one such as `If-Match: "c"`, where "c" stands for the current tag. */
async function statusOf (t: Test, method: string, exists: boolean, header: string): Promise<number> {
  const { app, storage } = await offersApp(t, { storage: memoryAdapter() })
  const current = exists ? await seed(storage) : undefined
  const [name, value] = header.split(': ') as [string, string?]
  const { statusCode } = await app.inject({
    method: method as 'GET',
    url: '/offers/1',
    headers: value === undefined ? {} : { [name]: value === '"c"' ? current : value },
    ...['PUT', 'PATCH', 'POST'].includes(method) && { payload: { title: 'sent' } }
  })
  return statusCode
}

await t.test('docs: the table of outcomes is what an app answers', async (t) => {
  const page = 'docs/reference/http-semantics.md'
  const headers = rows(page, 'request')[0]!.slice(1).map((cell) => cell.replaceAll('`', ''))
  const outcomes = rows(page, '(?:GET|PUT|PATCH)\\b')
  t.equal(outcomes.length, 5)
  for (const [request, ...cells] of outcomes) {
    const exists = !request!.endsWith('where there is none')
    for (const method of request!.match(/\b[A-Z]{3,}\b/g)!) {
      for (const [index, cell] of cells.entries()) {
        if (cell === '') continue
        const wanted = cell === 'done' ? (method === 'DELETE' ? 204 : 200) : Number(cell)
        t.equal(await statusOf(t, method, exists, headers[index]!), wanted, `${method}: ${request}, ${headers[index]}`)
      }
    }
  }
})
