import { existsSync } from 'node:fs'
import { relative } from 'node:path'

// The wiring, which only whole requests can exercise. Everything else in lib/ is covered by its own test or not at all.
const WIRING = [
  'answer', 'conditional-write', 'entity-handle', 'entity-record', 'guarded-route', 'hook-order', 'hooks', 'lifecycle',
  'plugin', 'refusal', 'request-state', 'storage-fault', 'symbols'
].map((name) => `lib/${name}.ts`)

/** Which files a test is there to cover: its mirror image; the tests of the plugin as a whole, the wiring. */
export default function coverageMap (test) {
  const mirror = relative(import.meta.dirname, test).replace(/\.test\.ts$/, '.ts')
  if (mirror.startsWith('plugin/')) return WIRING
  return existsSync(`lib/${mirror}`) ? [`lib/${mirror}`] : null
}
