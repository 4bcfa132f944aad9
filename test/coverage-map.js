import { existsSync, readdirSync } from 'node:fs'
import { join, relative } from 'node:path'

/**
 * Which files a test is there to cover, so that coverage is earned by a module's own test: its mirror image in lib/.
 * What has none is wiring, and only whole requests, the tests in test/plugin, can exercise it.
 */
export default function coverageMap (file) {
  const test = relative(import.meta.dirname, file).replace(/\.test\.ts$/, '.ts')
  if (test.startsWith('plugin/')) return modules('lib').filter((path) => !path.startsWith('lib/conformance/') && !existsSync(path.replace(/^lib/, 'test').replace(/\.ts$/, '.test.ts')))
  if (test.startsWith('conformance/')) return modules('lib/conformance')
  if (test.startsWith('example/')) return modules('example')
  return existsSync(`lib/${test}`) ? [`lib/${test}`] : null
}

function modules (folder) {
  return readdirSync(folder, { recursive: true }).filter((name) => name.endsWith('.ts')).map((name) => join(folder, name))
}
