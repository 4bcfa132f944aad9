import { dependenciesOf, type Lock, type Manifest } from './dependencies.js'
import { moved } from './places.js'
import type { Files } from './sources.js'

/** The package of a fork that depends on what `fastify-if-match` says: a range, or `file:` and a tarball. */
export function manifestOf (name: string, files: Files, ours: Manifest, lock: Lock, ifMatch: string): object {
  const { dependencies, devDependencies } = dependenciesOf(files, ours, lock)
  const { 'coverage-map': _, ...tap } = ours.tap
  const all = { ...dependencies, 'fastify-if-match': ifMatch }
  return {
    name,
    version: '0.0.0',
    private: true,
    license: ours.license,
    type: 'module',
    engines: ours.engines,
    scripts: {
      build: 'tsc --build tsconfig.build.json',
      prestart: 'tsc --build tsconfig.build.json',
      start: 'node dist/src/process/server.js',
      lint: 'eslint .',
      pretest: 'tsc --build tsconfig.test.json',
      test: 'tap'
    },
    // By itself tap looks for no tests in a folder of that name.
    tap: { ...tap, exclude: ['**/node_modules/**'], 'disable-coverage': true },
    dependencies: sorted(all),
    devDependencies,
    allowScripts: Object.fromEntries(Object.entries(ours.allowScripts).filter(([name]) => name in all))
  }
}

/**
 * A name that a package may have, made of that of its folder. npm does not install a package into one of its own name,
 * and Node.js takes an import of that name for the package itself.
 */
export function packageNameOf (folder: string, { dependencies, devDependencies }: Manifest): string {
  const letters = folder.normalize('NFKD').replace(/\p{Mark}/gu, '').toLowerCase()
  const name = letters.replace(/[^a-z0-9-]+/g, '-').replace(/^-+|-+$/g, '').slice(0, 200) || 'offers'
  const others = ['fastify-if-match', ...Object.keys({ ...dependencies, ...devDependencies })]
  return others.includes(name) ? `${name}-server` : name
}

/** The settings of the compiler for a fork, made of those of the repository. */
export function compilerSettings (read: (name: string) => any): Files {
  const { compilerOptions: { paths, ...compilerOptions } } = read('tsconfig.json')
  const page = moved('example/desk/page')
  const build = read('tsconfig.build.json')
  const { exclude: _, ...test } = read('tsconfig.test.json')
  const settings = {
    'tsconfig.json': { compilerOptions, include: ['src', 'test'], exclude: [page] },
    'tsconfig.build.json': { ...build, include: ['src'], exclude: [page], references: [{ path: `./${page}` }] },
    'tsconfig.test.json': {
      ...test,
      references: [{ path: './tsconfig.build.json' }, { path: `./${page}` }]
    }
  }
  return new Map(Object.entries(settings).map(([name, content]) => [name, toJson(content)]))
}

/** JSON as package.json is written. */
export function toJson (content: object): string {
  return `${JSON.stringify(content, null, 2)}\n`
}

function sorted (record: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(record).sort(([one], [other]) => (one < other ? -1 : 1)))
}
