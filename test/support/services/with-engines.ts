// Starts the engines, tells a command where they are, and ends them with it: with-engines.js [--durable] COMMAND
// [ARGUMENT...]
import { runCommand } from '../command.js'
import { SHARED_ENGINES, withSharedEngines } from './shared-engines.js'

const isDurable = process.argv[2] === '--durable'
const [file, ...args] = process.argv.slice(isDurable ? 3 : 2)
if (file === undefined) throw new TypeError('Which command is to be run?')
process.exitCode = await withSharedEngines(SHARED_ENGINES, isDurable, (variables) =>
  runCommand([file, ...args], variables)
)
