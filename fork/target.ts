import { existsSync, lstatSync, readdirSync, realpathSync, statSync } from 'node:fs'
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'

/** What the person can mend. Its message is all that is shown. */
export class ForkError extends Error {
  override name = 'ForkError'
}

/** What the command line asks for. */
export interface Wish {
  folder: string
  /** Whether the fork takes `fastify-if-match` from the registry, and not from this repository. */
  isPublished: boolean
}

const USAGE = 'npm run fork -- FOLDER [--published]'

/** Reads the arguments. @throws ForkError for what is none */
export function readWish (args: readonly string[]): Wish {
  const [folder, ...others] = args.filter((arg) => arg !== '--published')
  const unknown = [folder, ...others].find((arg) => arg?.startsWith('-'))
  if (unknown !== undefined) throw new ForkError(`There is no option ${unknown}: ${USAGE}`)
  if (folder === undefined || folder === '') {
    throw new ForkError(`Name the folder of the fork, such as ../mine: ${USAGE}`)
  }
  if (others.length > 0) throw new ForkError(`Name one folder, and not ${others.length + 1}: ${USAGE}`)
  return { folder, isPublished: args.includes('--published') }
}

/**
 * Where the fork goes, as an absolute path without links in it: a folder that is empty, or one that is still missing.
 *
 * @param root of the repository
 * @param from where the person is
 * @throws ForkError for any other place
 */
export function targetOf (folder: string, root: string, from: string): string {
  const wanted = resolve(from, folder)
  const parent = dirname(wanted)
  if (!isFolder(parent)) throw new ForkError(`There is no folder ${parent}, where the fork would go: make it first.`)
  const target = existsSync(wanted) ? realpathSync(wanted) : join(realpathSync(parent), basename(wanted))
  const inside = relative(realpathSync(root), target)
  // Absolute where it is on another drive of Windows.
  const isOutside = inside === '..' || inside.startsWith(`..${sep}`) || isAbsolute(inside)
  if (!isOutside) {
    throw new ForkError(`${target} is inside this repository: name a folder beside it, such as ../mine.`)
  }
  if (!existsSync(target)) {
    if (lstatSync(wanted, { throwIfNoEntry: false }) === undefined) return target
    throw new ForkError(`${wanted} is a link to nothing: name a folder that is empty, or one to be made.`)
  }
  if (!isFolder(target)) throw new ForkError(`${target} is no folder: name one that is empty, or one to be made.`)
  if (readdirSync(target).length > 0) {
    throw new ForkError(`${target} is not empty, and a fork replaces nothing: name an empty folder, or one to be made.`)
  }
  return target
}

function isFolder (path: string): boolean {
  return existsSync(path) && statSync(path).isDirectory()
}
