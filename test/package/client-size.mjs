// Bundles the client as an app would, and looks at its size, minified and gzipped; and runs it where there is nothing
// but what browsers have. `dist/` must have been built.
import assert from 'node:assert'
import { gzipSync } from 'node:zlib'
import { createContext, runInContext } from 'node:vm'
import { buildSync } from 'esbuild'

const MOST_BYTES = 3000

const bundle = (format) => buildSync({
  entryPoints: ['dist/lib/client/index.js'],
  bundle: true,
  minify: true,
  write: false,
  platform: 'browser',
  target: 'es2022',
  format,
  globalName: 'client'
}).outputFiles[0].text

const code = bundle('esm')
const bytes = gzipSync(code, { level: 9 }).length
console.log(`fastify-if-match/client: ${code.length} bytes minified, ${bytes} gzipped`)
assert(bytes < MOST_BYTES, `more than ${MOST_BYTES} bytes`)

const answers = [['{"n":1}', { headers: { etag: '"a"' } }], ['{"n":2}', { headers: { etag: '"b"' } }]]
const fetch = async () => new Response(...answers.shift())
const context = createContext({ fetch, Headers, Request, AbortController, setTimeout, clearTimeout })
runInContext(bundle('iife'), context)
const { etag } = await runInContext('client.createClient().update("/1", (value) => { value.n++ })', context)
assert.equal(etag, '"b"')
