import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import t from 'tap'
import ts from 'typescript'

// Which rooms a room may import from, besides itself. A room is the longest of these paths that a file is in or is.
const MAY_IMPORT: Record<string, readonly string[]> = {
  'lib/refusal-error.ts': [],
  'lib/errors.ts': ['lib/refusal-error.ts'],
  'lib/storage/adapter.ts': ['lib/errors.ts'],
  'lib/http': ['lib/storage/adapter.ts', 'lib/errors.ts', 'lib/refusal-error.ts'],
  'lib/option-functions.ts': ['lib/errors.ts'],
  'lib/options.ts': ['lib/option-functions.ts', 'lib/http', 'lib/storage/adapter.ts'],
  'lib/settings.ts': [
    'lib/options.ts', 'lib/option-functions.ts', 'lib/http', 'lib/storage/kit', 'lib/storage/adapter.ts',
    'lib/errors.ts'
  ],
  'lib/key': ['lib/storage/kit', 'lib/errors.ts'],
  'lib/route': [
    'lib/settings.ts', 'lib/options.ts', 'lib/option-functions.ts', 'lib/key', 'lib/http', 'lib/storage/kit',
    'lib/storage/adapter.ts', 'lib/errors.ts'
  ],
  'lib/request': [
    'lib/adapter-lifecycle.ts', 'lib/route', 'lib/settings.ts', 'lib/options.ts', 'lib/option-functions.ts', 'lib/http',
    'lib/storage/kit', 'lib/storage/adapter.ts', 'lib/errors.ts', 'lib/refusal-error.ts'
  ],
  'lib/augment.ts': ['lib/request', 'lib/route', 'lib/options.ts'],
  'lib/adapter-lifecycle.ts': ['lib/storage/adapter.ts'],
  'lib/problem-details.ts': ['lib/errors.ts', 'lib/refusal-error.ts'],
  'lib/problem-details-handler.ts': ['lib/problem-details.ts'],
  'lib/plugin.ts': [
    'lib/augment.ts', 'lib/adapter-lifecycle.ts', 'lib/request', 'lib/route', 'lib/settings.ts', 'lib/options.ts',
    'lib/http', 'lib/storage/kit', 'lib/storage/adapter.ts', 'lib/errors.ts'
  ],
  'lib/openapi.ts': ['lib/augment.ts', 'lib/request', 'lib/route', 'lib/http'],
  'lib/index.ts': [
    'lib/plugin.ts', 'lib/augment.ts', 'lib/problem-details.ts', 'lib/request', 'lib/route', 'lib/options.ts',
    'lib/option-functions.ts', 'lib/problem-details-handler.ts',
    'lib/key', 'lib/http', 'lib/storage/adapter.ts', 'lib/errors.ts', 'lib/refusal-error.ts'
  ],
  'lib/storage/kit': ['lib/storage/adapter.ts', 'lib/errors.ts'],
  'lib/storage/index.ts': [
    'lib/storage/by-pattern.ts', 'lib/storage/kit', 'lib/storage/adapter.ts', 'lib/errors.ts'
  ],
  'lib/storage/by-pattern.ts': ['lib/key', 'lib/storage/kit', 'lib/storage/adapter.ts', 'lib/errors.ts'],
  'lib/storage/memory.ts': ['lib/storage/kit', 'lib/storage/adapter.ts', 'lib/errors.ts'],
  'lib/storage/sqlite': ['lib/storage/kit', 'lib/storage/adapter.ts', 'lib/errors.ts'],
  'lib/storage/postgres': ['lib/storage/kit', 'lib/storage/adapter.ts', 'lib/errors.ts'],
  'lib/storage/mysql': ['lib/storage/kit', 'lib/storage/adapter.ts', 'lib/errors.ts'],
  'lib/storage/redis': ['lib/storage/kit', 'lib/storage/adapter.ts', 'lib/errors.ts'],
  'lib/storage/etcd': ['lib/storage/kit', 'lib/storage/adapter.ts', 'lib/errors.ts'],
  // It tells what an error of each engine means, and whether a client of PostgreSQL is inside a transaction, by what
  // their adapters know about it.
  'lib/storage/statements': [
    'lib/storage/kit', 'lib/storage/adapter.ts', 'lib/errors.ts',
    'lib/storage/sqlite/faults.ts', 'lib/storage/mysql/faults.ts', 'lib/storage/postgres/faults.ts',
    'lib/storage/postgres/client.ts', 'lib/storage/postgres/pool.ts'
  ],
  // It runs the transactions of the app on the same engines, and takes errors and clients as the statements do.
  'lib/storage/transactions': [
    'lib/storage/kit', 'lib/storage/adapter.ts', 'lib/errors.ts', 'lib/storage/statements',
    'lib/storage/sqlite/client.ts', 'lib/storage/mysql/faults.ts', 'lib/storage/postgres/faults.ts',
    'lib/storage/postgres/client.ts', 'lib/storage/postgres/pool.ts'
  ],
  // It makes the statements of an adapter of statements, and parses keys by their patterns.
  'lib/storage/table': [
    'lib/storage/statements', 'lib/storage/kit', 'lib/key', 'lib/storage/adapter.ts', 'lib/errors.ts'
  ],
  // It runs in browsers: it imports nothing at all.
  'lib/client': [],
  'lib/conformance': ['lib/storage/kit', 'lib/storage/adapter.ts', 'lib/errors.ts'],
  // The reference server uses the package as an app does, by its public entries.
  example: [],
  bench: ['example'],
  // It copies files, and knows none of them.
  fork: []
}

// What a room may import that is no file of this repository; Node's own modules it may in any case.
const PACKAGES: Record<string, readonly string[]> = {
  'lib/refusal-error.ts': ['@fastify/error'],
  'lib/errors.ts': ['@fastify/error'],
  'lib/option-functions.ts': ['fastify'],
  'lib/problem-details-handler.ts': ['fastify'],
  'lib/options.ts': ['fastify'],
  'lib/settings.ts': ['@sinclair/typebox'],
  'lib/storage/table': ['@sinclair/typebox'],
  'lib/route': ['fastify'],
  'lib/request': ['fastify'],
  'lib/augment.ts': ['fastify'],
  'lib/plugin.ts': ['fastify', 'fastify-plugin'],
  'lib/openapi.ts': ['fastify']
}

interface Import { from: string, to: string }

/** What a module imports or exports again, types included, as paths from the root or names of packages. */
export function importsOf (file: string, text: string): Import[] {
  return ts.preProcessFile(text, true, true).importedFiles.map(({ fileName }) => ({
    from: file,
    to: fileName.startsWith('.') ? posix.join(dirname(file), fileName).replace(/\.js$/, '.ts') : fileName
  }))
}

/** The room of a file. */
function roomOf (file: string): string | undefined {
  return Object.keys(MAY_IMPORT).filter((room) => isIn(file, room)).sort((one, other) => other.length - one.length)[0]
}

function isIn (file: string, room: string): boolean {
  return file === room || file.startsWith(`${room}/`)
}

/** What is wrong with an import; undefined if nothing is. */
function flawOf ({ from, to }: Import): string | undefined {
  const room = roomOf(from)
  if (room === undefined) return `${from} is in no room`
  if (to.startsWith('node:')) return room === 'lib/client' ? `${from} imports ${to}` : undefined
  if (/^(lib|example|bench|fork|test)\//.test(to)) {
    return [room, ...MAY_IMPORT[room]!].some((other) => isIn(to, other)) ? undefined : `${from} imports ${to}`
  }
  if (!room.startsWith('lib')) return undefined
  const name = to.split('/').slice(0, to.startsWith('@') ? 2 : 1).join('/')
  return PACKAGES[room]?.includes(name) === true ? undefined : `${from} imports ${to}`
}

const FILES = ['lib', 'example', 'bench', 'fork'].flatMap((folder) => {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  // The peers of the benchmark have packages of their own.
  const own = names.filter((name) => name.endsWith('.ts') && !name.includes('node_modules'))
  return own.map((name) => join(folder, name))
})

const IMPORTS = FILES.flatMap((file) => importsOf(file, readFileSync(file, 'utf8')))

await t.test('imports run one way, and only where the rooms of the house allow it', async (t) => {
  t.strictSame(IMPORTS.map(flawOf).filter((flaw) => flaw !== undefined), [])
})

await t.test('no two files import each other, not even over others', async (t) => {
  const to = new Map<string, string[]>()
  for (const { from, to: target } of IMPORTS) to.set(from, [...to.get(from) ?? [], target])
  const done = new Set<string>()
  const circles: string[] = []
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(' -> '))
    else if (!done.has(file)) for (const next of to.get(file) ?? []) visit(next, [...path, file])
    done.add(file)
  }
  for (const file of FILES) visit(file, [])
  t.strictSame(circles, [])
})

await t.test('the check sees a wrong import of each kind', async (t) => {
  const wrong: Array<[file: string, text: string]> = [
    ['lib/http/method.ts', "import { x } from '../plugin.js'"],
    ['lib/http/method.ts', "import type { x } from 'fastify'"],
    ['lib/route/guard.ts', "import type { x } from '../request/state.js'"],
    ['lib/storage/kit/json.ts', "export * from '../sqlite/file.js'"],
    ['lib/storage/redis/index.ts', "import { x } from '../postgres/sql.js'"],
    ['lib/storage/redis/index.ts', "import { x } from 'ioredis'"],
    ['lib/storage/etcd/index.ts', "const x = await import('fastify')"],
    ['lib/storage/statements/index.ts', "import { x } from '../postgres/sql.js'"],
    ['lib/conformance/index.ts', "import t from 'tap'"],
    ['lib/client/index.ts', "import { x } from '../errors.js'"],
    ['lib/client/index.ts', "import { x } from 'node:timers/promises'"],
    ['example/app/app.ts', "import { x } from '../../lib/errors.js'"],
    ['lib/storage/mongo/index.ts', "import { x } from '../kit/json.js'"],
    ['lib/index.ts', "export { x } from '../example/app/index.js'"]
  ]
  for (const [file, text] of wrong) t.match(importsOf(file, text).map(flawOf), [String], `${file}: ${text}`)
  const allowed = importsOf('lib/storage/statements/faults.ts', "import { x } from '../postgres/faults.js'")
  t.strictSame(allowed.map(flawOf), [undefined])
})
