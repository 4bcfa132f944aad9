import { availableParallelism } from 'node:os'
import { byProcess } from './folders.js'
import { missingPrograms, SERVICE_NAMES, type ServiceName } from './services/programs.js'
import { SHARED_ENGINES, type SharedEngine } from './services/shared-engines.js'

/** `checks`: what every change is checked by. `attacks`: kills, faults, proxies and races in full. */
export type Suite = 'checks' | 'attacks'

/** What a run of the tests does. */
export interface Plan {
  /** The engines that all its files share, started before the first of them. */
  engines: SharedEngine[]
  /** The options of tap. */
  options: string[]
  /** The compiled modules that tap runs, each in a process of its own. */
  modules: string[]
  /** What could not be tested here, if anything. */
  notice: string | undefined
}

// The longest first, so that no core waits for one at the end.
const ORDER = ['engines', 'example', 'attacks', 'http', 'conformance', 'docs', 'repository', 'support', 'unit']

/**
 * Plans a run.
 *
 * @param sources all test files, as paths from the root
 * @param args parts of paths, which select files (without any: all of the suite), and options: `--alone` gives each
 *   file of test/unit a process of its own, and the rest, `--name=value`, are for tap
 * @throws Error if they select nothing
 */
export function planRun (suite: Suite, sources: readonly string[], args: readonly string[], isStrict: boolean): Plan {
  const options = args.filter((arg) => arg.startsWith('-') && arg !== '--alone')
  const parts = args.filter((arg) => !arg.startsWith('-'))
  const files = inOrder(
    sources.filter(
      (path) => suiteOf(path) === suite && (parts.length === 0 || parts.some((part) => path.includes(part)))
    )
  )
  if (files.length === 0) throw new Error(`No test of "${suite}" has ${parts.join(' or ')} in its path.`)
  const lacking = SERVICE_NAMES.filter((name) => missingPrograms(name).length > 0)
  return {
    engines: SHARED_ENGINES.filter(
      (name) => suite === 'checks' && !lacking.includes(name) && files.some((path) => needs(path, name))
    ),
    options: [
      `--jobs=${jobs()}`,
      ...coverage(suite, parts.length > 0, lacking.length > 0 && !isStrict),
      ...options
    ],
    modules: byProcess(files, sources, args.includes('--alone')),
    notice: lacking.length === 0 || isStrict ? undefined : notice(lacking)
  }
}

/**
 * How many processes run at once: as many as there are cores, and one more, for many of them wait for an engine.
 * TAP_JOBS sets another number.
 */
export function jobs (): number {
  return Number(process.env['TAP_JOBS'] ?? availableParallelism() + 1)
}

function suiteOf (path: string): Suite {
  return path.startsWith('test/attacks/') ? 'attacks' : 'checks'
}

// A file that works on an engine has its name in its path.
function needs (path: string, name: SharedEngine): boolean {
  return path.includes(`/${name.split('-')[0]!}`)
}

function inOrder (paths: string[]): string[] {
  const rank = (path: string): number => ORDER.indexOf(path.split('/')[1]!)
  return paths.sort((one, other) => rank(one) - rank(other))
}

// All of lib/ and example/ must be covered by the checks, as a whole.
function coverage (suite: Suite, isPart: boolean, isPartial: boolean): string[] {
  if (suite === 'attacks') return ['--disable-coverage']
  if (isPart) return ['--allow-incomplete-coverage', '--allow-empty-coverage']
  return isPartial ? ['--allow-incomplete-coverage'] : []
}

function notice (lacking: readonly ServiceName[]): string {
  const programs = [...new Set(lacking.flatMap(missingPrograms))]
  return `
Not all was tested. There is no ${programs.join(', ')} on PATH, so the tests that need ${lacking.join(', ')}
were skipped, and coverage may be partial. REQUIRE_SERVICES=1 makes both a failure, as in CI.`
}
