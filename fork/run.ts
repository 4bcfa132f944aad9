// `npm run fork -- ../mine`: a fork of the reference server, in an empty folder.
import { join, relative } from 'node:path'
import { makeFork } from './make.js'
import { ForkError, readWish, targetOf } from './target.js'

const ROOT = join(import.meta.dirname, '../..')
const stop = new AbortController()
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => { stop.abort() })

try {
  const { folder, isPublished } = readWish(process.argv.slice(2))
  // npm runs scripts in the folder of the package, and says where the person called it.
  const from = process.env['INIT_CWD'] ?? process.cwd()
  const target = targetOf(folder, ROOT, from)
  await makeFork(ROOT, target, isPublished, stop.signal)
  console.log(`A fork of the reference server is in ${target}. To try it:

  cd ${quoted(relative(from, target) || target)} && npm ci && npm test && npm start

Its README.md says what to change first.`)
} catch (error) {
  process.exitCode = 1
  if (stop.signal.aborted) console.error('Stopped: there is no fork.')
  else if (error instanceof ForkError) console.error(error.message)
  // A full disk, a missing right, or npm, which says why.
  else if (error instanceof Error && 'code' in error) console.error(`There is no fork: ${error.message}`)
  else throw error
}

/** As a shell takes it. */
function quoted (path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`
}
