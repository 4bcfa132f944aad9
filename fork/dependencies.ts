import type { Files } from './sources.js'

/** What a package.json says, as far as a fork needs it. */
export interface Manifest {
  version: string
  license: string
  engines: Record<string, string>
  dependencies: Record<string, string>
  devDependencies: Record<string, string>
  peerDependencies: Record<string, string>
  allowScripts: Record<string, boolean>
  tap: Record<string, unknown>
}

/** A package-lock.json: what is installed, by its path. */
export interface Lock { name: string, packages: Record<string, LockEntry> }

/** What a lock file says of one package. */
export interface LockEntry { version?: string, peerDependencies?: Record<string, string> }

// What no file imports: the compiler, the runner of the tests, the types of Node.js, ESLint itself, and what the client
// that a test generates imports.
const TOOLS = ['typescript', 'tap', '@types/node', 'eslint', '@oazapfts/runtime']

/**
 * The names of the packages that a module imports.
 *
 * @param text of a module; in a comment nothing looks like an import
 */
export function importedPackages (text: string): string[] {
  const names = [...text.matchAll(/(?:\bfrom |\bimport |\bimport\()'([@a-z][\w@/.:-]*)'/g)].map(([, name]) => name!)
  const packages = names.filter((name) => !name.startsWith('node:')).map((name) => {
    const parts = name.split('/')
    return parts.slice(0, name.startsWith('@') ? 2 : 1).join('/')
  })
  return [...new Set(packages)]
}

/**
 * What a fork depends on, in the ranges of this repository: what its server imports, and for development what only its
 * tests and tools do.
 *
 * @param files of the fork
 * @throws Error for a package that is imported and that this repository does not name
 */
export function dependenciesOf (
  files: Files,
  { dependencies, devDependencies }: Manifest,
  { packages }: Lock
): { dependencies: Record<string, string>, devDependencies: Record<string, string> } {
  const ranges = { ...devDependencies, ...dependencies }
  const imported = (isServer: boolean): string[] => [...files]
    .filter(([path]) => /\.[jt]s$/.test(path) && path.startsWith('src/') === isServer)
    .flatMap(([, text]) => importedPackages(text))
  // Some package managers do not install the peers of a package by themselves. Types are for development.
  const peersOf = (name: string): string[] => Object.keys(packages[`node_modules/${name}`]?.peerDependencies ?? {})
  const withPeers = (names: readonly string[]): string[] =>
    [...names, ...names.flatMap(peersOf).filter((name) => name in ranges && !name.startsWith('@types/'))]
  const server = new Set(withPeers(imported(true)))
  const development = new Set([...withPeers(imported(false)), ...TOOLS])
  for (const name of server) if (`@types/${name}` in ranges) development.add(`@types/${name}`)
  const rangesOf = (names: Iterable<string>): Record<string, string> => Object.fromEntries(
    [...names].filter((name) => name !== 'fastify-if-match').sort().map((name) => {
      const range = ranges[name]
      if (range === undefined) throw new Error(`A fork imports ${name}, which package.json does not name.`)
      return [name, range]
    })
  )
  return {
    dependencies: rangesOf(server),
    devDependencies: rangesOf([...development].filter((name) => !server.has(name)))
  }
}
