// Packs the package as it would be published, looks at what is in it, and uses it as an app would that installed it: by
// import and by require, and under each setting of TypeScript that the README speaks of.
import { execFile, execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'

const root = resolve(import.meta.dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'consumer-'))
const modules = join(folder, 'node_modules')
const installed = join(modules, 'fastify-if-match')

// What runs and what people read: sources, source maps and the pages about the code stay in the repository.
const MOST_BYTES = 1_200_000
const MOST_FILES = 360

const APP = `
  const app = Fastify()
  await app.register(ifMatch, { storage: memoryAdapter() })
  app.put('/offers/:id', { config: { ifMatch: true } }, async (request) => (await request.entity().replace(request.body)).value)
  const send = async (headers) => (await app.inject({ method: 'PUT', url: '/offers/1', headers, payload: { a: 1 } })).statusCode
  const statuses = [await send({}), await send({ 'if-none-match': '*' }), await send({ 'if-match': '"stale"' }), await send({ 'if-match': '*' })]
  if (statuses.join() !== '400,200,412,200') throw new Error('answered ' + statuses)
  if (typeof conformanceSuite !== 'function') throw new Error('no conformance suite')
  let headers
  const documented = Fastify()
  await documented.register(ifMatch, { storage: memoryAdapter() })
  documented.addHook('onRoute', (route) => { headers = transform({ schema: {}, url: route.url, route }).schema.headers })
  documented.delete('/offers/:id', { config: { ifMatch: true } }, async () => {})
  if (headers?.required.join() !== 'If-Match') throw new Error('described ' + JSON.stringify(headers))
  const inject = async (url, { method, headers, body }) => {
    const answer = await app.inject({ method, url, headers: Object.fromEntries(headers), payload: body })
    return new Response(answer.body, { status: answer.statusCode, headers: answer.headers })
  }
  const refused = await createClient({ fetch: inject }).write('/offers/1', {}, { etag: '"stale"' }).catch((error) => error)
  if (refused.name !== 'ConflictError') throw refused
`

const TYPED = `
import Fastify from 'fastify'
import ifMatch, { entityKey } from 'fastify-if-match'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { mysqlAdapter } from 'fastify-if-match/storage/mysql'
import { postgresAdapter } from 'fastify-if-match/storage/postgres'
import { redisAdapter } from 'fastify-if-match/storage/redis'
import { etcdAdapter } from 'fastify-if-match/storage/etcd'
import { sqliteAdapter } from 'fastify-if-match/storage/sqlite'
import { statementsAdapter } from 'fastify-if-match/storage/statements'
import { tableAdapter } from 'fastify-if-match/storage/table'
import { checkKey } from 'fastify-if-match/storage'
import { conformanceSuite } from 'fastify-if-match/conformance'
import { createClient, type Written } from 'fastify-if-match/client'
import { transform } from 'fastify-if-match/openapi'
const app = Fastify()
void app.register(ifMatch, { storage: memoryAdapter(), key: (request) => request.params.id })
app.put<{ Params: { id: string } }>('/offers/:id', { config: { ifMatch: true } }, async (request) =>
  (await request.entity<object>(entityKey('/offers/:id', request.params)).read()).etag)
const raised: Promise<Written<{ n: number }>> = createClient({ fetch }).update('/1', ({ n }: { n: number }) => ({ n: n + 1 }))
void raised.catch(() => {})
const sql = [mysqlAdapter, postgresAdapter, sqliteAdapter, statementsAdapter, tableAdapter]
export const used: unknown[] = [...sql, redisAdapter, etcdAdapter, checkKey, conformanceSuite, transform, app.ready()]
`
// A page has the types of browsers, and not those of Node.js.
const PAGE = `
import { ConflictError, createClient } from 'fastify-if-match/client'
const client = createClient({ fetch: window.fetch, headers: () => ({ authorization: document.title }) })
void client.update<{ n: number }>(new URL('/1', location.href), (value) => { value.n++ }).catch((error: unknown) => {
  if (error instanceof ConflictError) console.log(error.current?.etag)
})
`
const BROWSER = {
  target: 'es2022',
  lib: ['es2022', 'dom'],
  types: [],
  module: 'esnext',
  moduleResolution: 'bundler',
  noEmit: true,
  strict: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: false
}
const REQUIRED = `
import Fastify = require('fastify')
import plugin = require('fastify-if-match')
import memory = require('fastify-if-match/storage/memory')
const app = Fastify()
void app.register(plugin.ifMatch, { storage: memory.memoryAdapter() })
app.get('/offers/:id', { config: { ifMatch: true } }, async (request) => (await request.entity<object>().read()).etag)
export = app
`
const ESM = 'app.mts'
const CJS = ['app.cts', 'required.cts']
const NODE10 = ['--moduleResolution', 'node10', '--ignoreDeprecations', '6.0']
// The settings of TypeScript, the files that compile under them, and those that TypeScript refuses.
const SETTINGS = [
  [['node16'], [ESM], CJS],
  [['node18'], [ESM], CJS],
  [['node20'], [ESM, ...CJS], []],
  [['nodenext'], [ESM, ...CJS], []],
  [['esnext', '--moduleResolution', 'bundler'], ['app.ts'], []],
  [['preserve'], ['app.ts'], []],
  [['commonjs', '--moduleResolution', 'bundler'], ['app.ts'], []],
  [['commonjs', ...NODE10], ['app.ts'], []]
]

try {
  execFileSync('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder], { cwd: root })
  mkdirSync(modules)
  // The package's own dependencies and its peer, as they are installed here.
  for (const name of ['fastify', 'fastify-plugin', '@fastify', '@sinclair', '@types']) { symlinkSync(join(root, 'node_modules', name), join(modules, name)) }
  execFileSync('tar', ['-xzf', readdirSync(folder).find((name) => name.endsWith('.tgz'))], { cwd: folder })
  execFileSync('mv', ['package', installed], { cwd: folder })
  checkContents()
  run('module', `
    import Fastify from 'fastify'
    import ifMatch from 'fastify-if-match'
    import { memoryAdapter } from 'fastify-if-match/storage/memory'
    import { conformanceSuite } from 'fastify-if-match/conformance'
    import { transform } from 'fastify-if-match/openapi'
    import { createClient } from 'fastify-if-match/client'
    ${APP}`)
  run('commonjs', `
    const Fastify = require('fastify')
    const ifMatch = require('fastify-if-match')
    const { memoryAdapter } = require('fastify-if-match/storage/memory')
    const { conformanceSuite } = require('fastify-if-match/conformance')
    const { transform } = require('fastify-if-match/openapi')
    const { createClient } = require('fastify-if-match/client')
    void (async () => {${APP}})()`)
  await checkTypes()
  checkPage()
  // What TypeScript made of the last one is CommonJS: its default import is the plugin.
  execFileSync('node', ['--eval', `require('./out-${SETTINGS.length - 1}/app.js')`], { cwd: folder, stdio: 'inherit' })
  console.log('the packed package works by import and by require')
} finally {
  rmSync(folder, { recursive: true })
}

function checkContents () {
  const files = readdirSync(installed, { recursive: true }).filter((name) => statSync(join(installed, name)).isFile())
  const bytes = files.reduce((sum, name) => sum + statSync(join(installed, name)).size, 0)
  if (bytes > MOST_BYTES || files.length > MOST_FILES) {
    throw new Error(`the package has ${files.length} files of ${bytes} bytes: more than ${MOST_FILES} of ${MOST_BYTES}`)
  }
  for (const page of files.filter((name) => name.endsWith('.md'))) {
    const text = readFileSync(join(installed, page), 'utf8')
    for (const [, path] of text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)) {
      if (!existsSync(join(installed, dirname(page), path))) throw new Error(`${page} links to ${path}, which is not there`)
    }
  }
  for (const name of files.filter((name) => /\.(?:js|d\.ts)$/.test(name))) {
    const [, map] = /sourceMappingURL=(.*)/.exec(readFileSync(join(installed, name), 'utf8')) ?? []
    if (map !== undefined) throw new Error(`${name} names ${map}, which is not there. Pack it with its prepack script`)
  }
}

async function checkTypes () {
  for (const name of [ESM, 'app.cts', 'app.ts']) writeFileSync(join(folder, name), TYPED)
  writeFileSync(join(folder, 'required.cts'), REQUIRED)
  await Promise.all(SETTINGS.map(async ([[module, ...more], compiled, refused], index) => {
    const setting = `module ${module} ${more.join(' ')}`
    const out = `out-${index}`
    const errors = await compile(['--outDir', out, '--module', module, ...more, ...compiled])
    if (errors !== '') throw new Error(`${setting}: ${errors}`)
    for (const name of refused) {
      const said = await compile(['--outDir', out, '--module', module, ...more, name])
      if (!/TS1479|TS1471/.test(said)) throw new Error(`${setting} compiles ${name}`)
    }
  }))
}

function checkPage () {
  const page = join(folder, 'page')
  mkdirSync(page)
  writeFileSync(join(page, 'page.ts'), PAGE)
  writeFileSync(join(page, 'tsconfig.json'), JSON.stringify({ compilerOptions: BROWSER }))
  execFileSync('node', [join(root, 'node_modules/typescript/bin/tsc'), '-p', page], { stdio: 'inherit' })
}

/** What the compiler says about these files, in its strictest form: the declarations of the package are checked, too. */
async function compile (options) {
  const strict = ['--strict', '--exactOptionalPropertyTypes', '--noUncheckedIndexedAccess', '--esModuleInterop', '--skipLibCheck', 'false']
  const tsc = [join(root, 'node_modules/typescript/bin/tsc'), '--target', 'es2022', '--types', 'node', ...strict]
  try {
    await promisify(execFile)('node', [...tsc, ...options], { cwd: folder })
    return ''
  } catch (error) {
    // A compiler that was ended has said nothing, and that must not look like a success.
    if (!error.stdout) throw error
    return error.stdout
  }
}

function run (type, source) {
  execFileSync('node', [`--input-type=${type}`, '--no-warnings', '--eval', source], { cwd: folder, stdio: 'inherit' })
}
