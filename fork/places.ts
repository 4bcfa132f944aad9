import { posix } from 'node:path'

// From the repository to the fork, the longest first. A fork is a server of somebody's own, and no example any more.
const MOVED: ReadonlyArray<readonly [from: string, to: string]> = [
  ['test/support/example', 'test/support'],
  ['test/example', 'test'],
  ['example/README.md', 'README.md'],
  ['example', 'src']
]

/** Where a path of the repository is in a fork. */
export function moved (path: string): string {
  const [from, to] = MOVED.find(([from]) => path === from || path.startsWith(`${from}/`)) ?? ['', '']
  return to + path.slice(from.length)
}

// A path in quotes: one that begins at its file, or one that begins at the root.
const RELATIVE = /(?<=(['"`]))\.{1,2}\/[\w./-]+(?=\1)/g
const FROM_ROOT = /(?<=['"`])(?:example|test\/example|test\/support)\/[\w./*-]*(?=['"`])/g

/** The modules that a file names, as paths from the root: what it imports, and what it gives to `new URL()`. */
export function namedModules (path: string, text: string): string[] {
  return [...text.matchAll(RELATIVE)].map(([name]) => moduleAt(path, name))
}

/**
 * The text of a module where it is in a fork: the paths in it lead to where things are there.
 *
 * @param has whether a path of the repository goes along
 */
export function movedText (path: string, text: string, has: (path: string) => boolean): string {
  const folder = posix.dirname(moved(path))
  return text
    .replace(RELATIVE, (name) => {
      const target = moduleAt(path, name)
      if (!has(target)) return name
      const relative = posix.relative(folder, moved(target)).replace(/\.ts$/, posix.extname(name))
      return relative.startsWith('.') ? relative : `./${relative}`
    })
    .replace(FROM_ROOT, moved)
}

function moduleAt (path: string, name: string): string {
  return posix.join(posix.dirname(path), name).replace(/\.js$/, '.ts')
}
