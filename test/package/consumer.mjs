// Packs the package as it would be published, and uses it as an app would that installed it: by import and by require.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'consumer-'))
const modules = join(folder, 'node_modules')

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
`

try {
  execFileSync('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder], { cwd: root })
  mkdirSync(modules)
  // The package's own dependencies and its peer, as they are installed here.
  for (const name of ['fastify', 'fastify-plugin', '@fastify', '@sinclair']) { symlinkSync(join(root, 'node_modules', name), join(modules, name)) }
  execFileSync('tar', ['-xzf', readdirSync(folder).find((name) => name.endsWith('.tgz'))], { cwd: folder })
  execFileSync('mv', ['package', join(modules, 'fastify-if-match')], { cwd: folder })
  run('module', `
    import Fastify from 'fastify'
    import ifMatch from 'fastify-if-match'
    import { memoryAdapter } from 'fastify-if-match/storage/memory'
    import { conformanceSuite } from 'fastify-if-match/conformance'
    import { transform } from 'fastify-if-match/openapi'
    ${APP}`)
  run('commonjs', `
    const Fastify = require('fastify')
    const ifMatch = require('fastify-if-match')
    const { memoryAdapter } = require('fastify-if-match/storage/memory')
    const { conformanceSuite } = require('fastify-if-match/conformance')
    const { transform } = require('fastify-if-match/openapi')
    void (async () => {${APP}})()`)
  console.log('the packed package works by import and by require')
} finally {
  rmSync(folder, { recursive: true })
}

function run (type, source) {
  execFileSync('node', [`--input-type=${type}`, '--no-warnings', '--eval', source], { cwd: folder, stdio: 'inherit' })
}
