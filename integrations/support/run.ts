// Runs all tests, or those that are named, on one PostgreSQL and one MariaDB: run.js [FILE OR OPTION OF TAP...]
import { availableParallelism } from 'node:os'
import { runCommand } from '../../test/support/command.js'
import { missingPrograms } from '../../test/support/services/programs.js'
import { withSharedEngines } from '../../test/support/services/shared-engines.js'

const engines = (['postgres', 'mysql'] as const).filter((name) => missingPrograms(name).length === 0)
process.exitCode = await withSharedEngines(engines, false, async (variables) =>
  await runCommand(['tap', `--jobs=${availableParallelism()}`, ...process.argv.slice(2)], variables))
