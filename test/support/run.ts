import { spawnSync } from 'node:child_process'
import { missingPrograms, SERVICE_NAMES } from './services/programs.js'

// `npm test`, with its arguments for tap. All must be covered, unless programs are missing that the tests of some modules need.
const missing = [...new Set(SERVICE_NAMES.flatMap(missingPrograms))]
const isPartial = missing.length > 0 && process.env['REQUIRE_SERVICES'] !== '1'

const { status, error } = spawnSync('tap', [...isPartial ? ['--allow-incomplete-coverage'] : [], ...process.argv.slice(2)], { stdio: 'inherit', shell: process.platform === 'win32' })
if (error !== undefined) throw error
if (isPartial) {
  const services = SERVICE_NAMES.filter((name) => missingPrograms(name).length > 0)
  console.log(`
Not all was tested: there is no ${missing.join(', ')} on PATH, so the tests that need ${services.join(', ')} were skipped,
and coverage is partial, which is let pass here. REQUIRE_SERVICES=1 makes both a failure, as in CI.`)
}
process.exitCode = status ?? 1
