import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Which modules a test is there to cover, so that coverage is earned by a module's own test: its mirror image in lib/.
 * What has none is wiring, and only whole requests, the tests in test/http, can exercise it.
 *
 * @param {string} file a compiled test, as a path from the root
 */
export default function coverageMap (file) {
  const test = file.replace(/^dist\/test\//, '').replace(/\.test\.js$/, '.ts')
  const room = test.split('/')[0]
  if (room === 'folders') return wholeFolder(test)
  if (room === 'http') return modules('lib').filter((path) => !path.startsWith('lib/conformance/') && !hasOwnTest(path))
  if (room === 'conformance') return modules('lib/conformance')
  if (room === 'example') return modules('example').filter((path) => !isShownInBrowser(path))
  if (room === 'unit') return existing(test.replace(/^unit/, 'lib'))
  if (room === 'engines') return existing(test.replace(/^engines/, 'lib/storage')) ?? wholeAdapter(test)
  return null
}

// A process that runs all tests of a folder covers what any of them covers by itself.
function wholeFolder (test) {
  const folder = test.replace(/^folders/, 'test').replace(/\.ts$/, '')
  const covered = readdirSync(folder)
    .filter((name) => name.endsWith('.test.ts'))
    .flatMap((name) => coverageMap(`dist/${folder}/${name.replace(/\.ts$/, '.js')}`) ?? [])
  return covered.length > 0 ? [...new Set(covered)] : null
}

// The part of the page that needs a window: test/attacks/desk runs it in a browser, where coverage is not counted.
function isShownInBrowser (path) {
  return /^example\/desk\/page\/(?!(?:model|messages)\/)/.test(path)
}

function hasOwnTest (path) {
  const test = path.replace(/\.ts$/, '.test.ts')
  return existsSync(test.replace(/^lib/, 'test/unit')) || existsSync(test.replace(/^lib\/storage/, 'test/engines'))
}

// A test of an adapter as a whole, such as the conformance suite, covers whatever module of it takes part: what a
// statement does shows on the engine, and not in a module's own test with a stub.
function wholeAdapter (test) {
  const [, engine, name] = test.split('/')
  const folder = `lib/storage/${engine}`
  return existsSync(folder) && !/race/.test(name) ? modules(folder) : null
}

function existing (path) {
  return existsSync(path) ? path : null
}

function modules (folder) {
  return readdirSync(folder, { recursive: true })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name))
}
