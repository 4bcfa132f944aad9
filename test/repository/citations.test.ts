import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'

// A reader has this repository alone. So a rule of HTTP is cited as its RFC clause, a fact about an engine by its name
// on docs/reference/engine-facts.md, a point of the offers API as a reading of docs/reference/offers-api.md, and a
// decision by its number in docs/decisions/.

const TEXTS = /\.(ts|js|mjs|md|json|ya?ml|sql)$|(^|\/)\.ci\/run$/

const NOT_OURS = ['.git', '.tap', 'coverage', 'data', 'dist', 'node_modules']

/** The files below a folder. */
function filesIn (folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return NOT_OURS.includes(entry.name) ? [] : filesIn(path)
    return entry.isFile() ? [path] : []
  })
}

/** Every text of the repository, but for the lock files. */
function texts (): Array<[path: string, text: string]> {
  const isText = (path: string): boolean => TEXTS.test(path) && !path.endsWith('package-lock.json')
  return filesIn('.').filter(isText).map((path) => [path, readFileSync(path, 'utf8')])
}

const ALL = texts()
const HERE = 'test/repository/citations.test.ts'

/** Where a pattern stands, as `path:line: text`. */
function find (pattern: RegExp, all = ALL): string[] {
  return all.filter(([path]) => path !== HERE).flatMap(([path, text]) =>
    text.split('\n').flatMap((line, index) => pattern.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : []))
}

/** What stands behind a citation, everywhere. */
function cited (pattern: RegExp): Set<string> {
  const others = ALL.filter(([path]) => path !== HERE)
  return new Set(others.flatMap(([, text]) => [...text.matchAll(pattern)].map(([, name]) => name!)))
}

// Numbers of papers that no reader has: R12, E34a, CPP 5 with a section sign, DESIGN 4.
const DANGLING = /(?<![\w#/.'$-])[RE][1-9]\d?[a-d]?(?![\w'])|\bCPP ?§|\bDESIGN(\.md| §? ?\d)|\bHOUSE(\.md| §)/

await t.test('no citation points outside of this repository', async (t) => {
  t.strictSame(find(DANGLING), [])
  const dangling = [
    'see R12', '(R14c, R18)', 'E1 to E3', 'E12-E15', '`R12`', '"R12"', 'by E79.', 'CPP §8', 'CPP§5',
    '// DESIGN 4', 'DESIGN §4'
  ]
  for (const text of dangling) t.strictSame(find(DANGLING, [['a.ts', text]]).length, 1, text)
  const sound = ["'E1'", 'SQLSTATE 40001', 'RFC 9110 13.1', 'epoch r2', 'R3D', '#E12']
  for (const text of sound) t.strictSame(find(DANGLING, [['a.ts', text]]), [], text)
})

await t.test('a fact that is cited is on the page of engine facts, once', async (t) => {
  const page = readFileSync('docs/reference/engine-facts.md', 'utf8')
  const names = [...page.matchAll(/^### (.+)$/gm)].map(([, name]) => name!)
  t.strictSame(names.filter((name) => !/^[a-z0-9]+(-[a-z0-9]+)+$/.test(name)), [], 'a name is an anchor as it is')
  t.strictSame(names.length, new Set(names).size)
  const facts = cited(/engine-facts(?:\.md)?#([\w-]+)/g)
  t.strictSame([...facts].filter((name) => !names.includes(name)), [])
  t.ok(facts.size > 50, `${facts.size} facts are cited`)
})

await t.test('a decision that is cited has a page, and the list of decisions has every page', async (t) => {
  const pages = readdirSync('docs/decisions').filter((name) => /^\d{4}-/.test(name))
  const numbers = pages.map((name) => name.slice(0, 4))
  const decisions = cited(/\bdecisions? (?:\d{4}(?:, | and | to ))*(\d{4})\b/gi)
  t.strictSame([...decisions].filter((number) => !numbers.includes(number)), [])
  const list = readFileSync('docs/decisions/README.md', 'utf8')
  t.strictSame(pages.filter((name) => !list.includes(`(${name})`)), [])
})

await t.test('a reading that is cited is on the page of the offers API', async (t) => {
  const page = readFileSync('docs/reference/offers-api.md', 'utf8')
  const numbers = [...page.matchAll(/^(\d+)\. /gm)].map(([, number]) => number!)
  const readings = cited(/\breadings? (?:\d+(?:, | and | to ))*(\d+)\b/gi)
  t.strictSame([...readings].filter((number) => !numbers.includes(number)), [])
})

await t.test('lines of pages have 120 columns at most, but for tables, addresses and what is quoted', async (t) => {
  const long: string[] = []
  for (const [path, text] of ALL.filter(([path]) => path.endsWith('.md'))) {
    let isCode = false
    for (const [index, line] of text.split('\n').entries()) {
      if (line.startsWith('```')) isCode = !isCode
      const mayBeLong = isCode || line.startsWith('|') || /https?:|\]\(/.test(line)
      if (line.length > 120 && !mayBeLong) long.push(`${path}:${index + 1}`)
    }
  }
  t.strictSame(long, [])
})
