// Runs compiled tests with tap, on engines that they share: run.js checks|attacks [PART OF A PATH...] [--alone]
// [--OPTION=OF TAP...]
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { runCommand } from './command.js'
import { writeFolderModules } from './folders.js'
import { planRun, type Suite } from './run-plan.js'
import { withSharedEngines } from './services/shared-engines.js'

const [suite, ...args] = process.argv.slice(2) as [Suite, ...string[]]
// The sources tell what there is: a build into place may still hold a test that was removed.
const sources = readdirSync('test', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => join('test', name))
const { engines, options, modules, notice } =
  planRun(suite, sources.sort(), args, process.env['REQUIRE_SERVICES'] === '1')
writeFolderModules(modules)
process.exitCode = await withSharedEngines(
  engines,
  false,
  (variables) => runCommand(['tap', ...options, ...modules], variables)
)
if (notice !== undefined) console.log(notice)
