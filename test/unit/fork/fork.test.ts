import { readFileSync, symlinkSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { join, posix } from 'node:path'
import t, { type Test } from 'tap'
import ts from 'typescript'
import { dependenciesOf, importedPackages } from '../../../fork/dependencies.js'
import { forkOf } from '../../../fork/make.js'
import { packageNameOf } from '../../../fork/manifest.js'
import { movedPage } from '../../../fork/pages.js'
import { movedText, namedModules } from '../../../fork/places.js'
import { movedSources, sourcesIn } from '../../../fork/sources.js'
import { ForkError, readWish, targetOf } from '../../../fork/target.js'

const { files, ours, lock } = forkOf('.', '/somewhere/Mein Laden', false)
const modules = [...files].filter(([path]) => /\.[jt]s$/.test(path))
const manifest = JSON.parse(files.get('package.json')!)
const { devDependencies } = manifest
const dependencies: Record<string, string> = manifest.dependencies

/** What a module imports, as the compiler reads it. */
function importsOf (text: string): string[] {
  return ts.preProcessFile(text, true, true).importedFiles.map(({ fileName }) => fileName)
}

/** The packages that the modules of these paths import. */
function packagesOf (isMeant: (path: string) => boolean): string[] {
  const names = modules.filter(([path]) => isMeant(path)).flatMap(([, text]) => importsOf(text))
  const bare = names.filter((name) => !name.startsWith('.') && !isBuiltin(name))
  return [...new Set(bare.map((name) => name.split('/').slice(0, name.startsWith('@') ? 2 : 1).join('/')))].sort()
}

await t.test('fork: every package that its server imports is a dependency, and every one of its tests and tools is one for development', async (t) => {
  const isServer = (path: string): boolean => path.startsWith('src/')
  t.strictSame(packagesOf(isServer).filter((name) => !(name in dependencies)), [])
  const all = { ...dependencies, ...devDependencies }
  t.strictSame(packagesOf((path) => !isServer(path)).filter((name) => !(name in all)), [])
  // Peers that the server does not import itself.
  const more = Object.keys(dependencies).filter((name) => !packagesOf(isServer).includes(name))
  t.strictSame(more, ['@sinclair/typebox'])
  t.strictSame(Object.keys(dependencies).filter((name) => name in devDependencies), [])
})

await t.test('fork: ranges are those of this repository, which its lock file satisfies', async (t) => {
  const ranges: Record<string, string> = { ...ours.devDependencies, ...ours.dependencies }
  for (const [name, range] of Object.entries({ ...dependencies, ...devDependencies })) {
    if (name === 'fastify-if-match') continue
    t.equal(range, ranges[name], name)
    t.ok(lock.packages[`node_modules/${name}`]?.version, name)
  }
  t.equal(dependencies['fastify-if-match'], `file:vendor/fastify-if-match-${ours.version}.tgz`)
  t.strictSame(manifest.engines, ours.engines)
  const published = JSON.parse(forkOf('.', '/x', true).files.get('package.json')!)
  t.equal(published.dependencies['fastify-if-match'], `^${ours.version}`)
})

await t.test('fork: every file that a module imports or names is there', async (t) => {
  let count = 0
  for (const [path, text] of modules) {
    for (const name of importsOf(text).filter((name) => name.startsWith('.'))) {
      const target = posix.join(posix.dirname(path), name).replace(/\.js$/, '.ts')
      // What a test generates beside itself.
      if (target === 'test/app/client.ts') continue
      t.ok(files.has(target), `${path} imports ${name}`)
      count++
    }
    t.notMatch(text, /['"`(](?:\.\.\/)*example\//, path)
  }
  t.ok(count > 300)
  t.match(files.get('test/support/server-process.ts'), "new URL('../../src/process/server.js', import.meta.url)")
})

await t.test('fork: links of its pages lead to its files, or to the repository', async (t) => {
  for (const [path, text] of files) {
    if (!path.endsWith('.md')) continue
    for (const [, link] of text.matchAll(/\]\((?!https?:)([^)]+)\)/g)) {
      const [file, anchor] = link!.split('#') as [string, string?]
      const target = file === '' ? path : posix.join(posix.dirname(path), file)
      t.ok(files.has(target), `${path} links to ${link}`)
      if (anchor !== undefined) t.match(files.get(target)?.toLowerCase().replaceAll(' ', '-'), `\n##-${anchor}\n`)
    }
  }
  const linked = movedPage('example/README.md', '[a](../docs/b.md#c) [d](x.md) [e](https://e/) [f](#f)', (path) => path === 'example/x.md')
  t.equal(
    linked,
    '[a](https://github.com/fastify-if-match/fastify-if-match/blob/main/docs/b.md#c) [d](src/x.md) [e](https://e/) [f](#f)'
  )
})

await t.test('fork: its README names files that it has, and none of the repository alone', async (t) => {
  const readme = files.get('README.md')!
  t.match(readme, /^# mein-laden\n/)
  for (const [, path] of readme.matchAll(/`((?:src|test|docs|vendor)\/[^`*…]*)`/g)) {
    t.ok(path === 'vendor/' || [...files.keys()].some((file) => file === path || file.startsWith(path!)), path!)
  }
  for (const [, path] of readme.matchAll(/`((?:offers|app|desk|storage|process)\/[\w./-]+)`/g)) {
    t.ok([...files.keys()].some((file) => file.startsWith(`src/${path}`)), path!)
  }
  t.notMatch(readme, /npm run fork|`example\//)
  const sections = readFileSync('example/README.md', 'utf8').match(/^## .+$/gm)!
  t.ok(sections.length > 4)
  const missing = sections.filter((section) => !readme.includes(`\n${section}\n`))
  t.strictSame(missing, ['## The page', '## Fork it'])
})

await t.test('fork: what its README names is all that stands in the way of dropping the page', async (t) => {
  const ofPage = (path: string): boolean => /\/desk\//.test(path)
  const users = modules.filter(([path, text]) => !ofPage(path) &&
    importsOf(text).some((name) => ofPage(posix.join(posix.dirname(path), name))))
  t.strictSame(users.map(([path]) => path), ['src/app/index.ts'])
  const configs = [...files].filter(([path, text]) => /^tsconfig.*json$/.test(path) && /"path".*desk/.test(text))
  t.strictSame(configs.map(([path]) => path).sort(), ['tsconfig.build.json', 'tsconfig.test.json'])
  t.match(files.get('README.md')!.replaceAll('\n', ' '), /`tsconfig\.build\.json` and `tsconfig\.test\.json`/)
})

await t.test('fork: every npm script that one of its files names is there', async (t) => {
  const { scripts } = manifest
  for (const [path, text] of files) {
    if (path === 'package-lock.json') continue
    for (const [, name] of text.matchAll(/\bnpm run ([\w:-]+)/g)) t.ok(name! in scripts, `${path}: npm run ${name}`)
  }
})

await t.test('fork: what the compiler is told is what this repository tells it, but for the names of the package', async (t) => {
  const read = (name: string) => ts.readConfigFile(name, ts.sys.readFile).config
  const { paths, ...options } = read('tsconfig.json').compilerOptions
  t.ok(paths)
  t.strictSame(JSON.parse(files.get('tsconfig.json')!).compilerOptions, options)
  for (const name of ['tsconfig.build.json', 'tsconfig.test.json']) {
    const { compilerOptions, references } = JSON.parse(files.get(name)!)
    t.strictSame(compilerOptions, read(name).compilerOptions)
    for (const { path } of references) {
      const target = posix.normalize(path)
      t.ok(files.has(target) || files.has(`${target}/tsconfig.json`), path)
    }
  }
})

await t.test('fork: paths in a module are moved, what looks like one is not', async (t) => {
  const text = [
    "import { a } from '../../../example/a.js'", "await import('./b.js')", 'new URL("../../support/example/c.js")',
    "read('test/example/app')", "read('examples/app')", "from '../../../lib/d.js'", "'../nothing.js'", "'./'"
  ].join('\n')
  const has = (path: string): boolean =>
    ['example/a.ts', 'test/example/app/b.ts', 'test/support/example/c.ts'].includes(path)
  t.strictSame(movedText('test/example/app/x.test.ts', text, has).split('\n'), [
    "import { a } from '../../src/a.js'", "await import('./b.js')", 'new URL("../support/c.js")',
    "read('test/app')", "read('examples/app')", "from '../../../lib/d.js'", "'../nothing.js'", "'./'"
  ])
  t.strictSame(namedModules('a/b.ts', "from '../c.js'; import('./d.css')"), ['c.ts', 'a/d.css'])
  const imports = ["import a from '@b/c/d'", "import 'e'", "import('f/g')", "from 'node:fs'", "from '$h'", "from './i'"]
  t.strictSame(importedPackages(imports.join('\n')), ['@b/c', 'e', 'f'])
})

await t.test('fork: what it cannot be made of is an error that names it', async (t) => {
  const folder = t.testdir({
    lib: { 'a.ts': '' },
    example: { 'b.ts': '' },
    test: { example: { 'x.test.ts': "import '../../lib/a.js'" } }
  })
  t.throws(() => sourcesIn(folder), {
    message: 'test/example/x.test.ts needs lib/a.ts, which stays in the repository.'
  })
  t.throws(
    () => movedSources(new Map([['test/example/support/a.ts', ''], ['test/support/a.ts', '']])),
    { message: 'Two files would be test/support/a.ts of the fork.' }
  )
  t.throws(() => dependenciesOf(new Map([['src/a.ts', "import a from 'unheard-of'"]]), ours, lock), {
    message: /imports unheard-of/
  })
})

await t.test('fork: it has a name that a package may have, and that nothing it imports has', async (t) => {
  for (const [folder, name] of [
    ['mine', 'mine'],
    ['Mein Laden', 'mein-laden'],
    ['..x', 'x'],
    ['Größe', 'gro-e'],
    ['Ma\u0308rz', 'marz'],
    ['!!', 'offers'],
    ['fastify', 'fastify-server'],
    ['fastify-if-match', 'fastify-if-match-server'],
    ['node_modules', 'node-modules'],
    ['TAP', 'tap-server']
  ]) t.equal(packageNameOf(folder!, ours), name, folder!)
})

/** A repository, and folders beside it. */
function places (t: Test): { root: string, beside: string } {
  const beside = t.testdir({ repository: { example: {} }, empty: {}, full: { 'a.txt': '' }, file: '' })
  return { root: join(beside, 'repository'), beside }
}

await t.test('fork: a folder that is not empty, a file, a place inside the repository, and one without a parent are refused in a sentence', async (t) => {
  const { root, beside } = places(t)
  symlinkSync(join(root, 'example'), join(beside, 'link'))
  symlinkSync(root, join(beside, 'repository-too'))
  symlinkSync(join(beside, 'gone'), join(beside, 'nowhere'))
  const refused: Array<[folder: string, message: RegExp]> = [
    ['../full', /full is not empty, and a fork replaces nothing/],
    ['..', /is not empty/],
    ['../file', /file is no folder/],
    ['.', /is inside this repository/],
    ['mine', /mine is inside this repository: name a folder beside it, such as \.\.\/mine\.$/],
    ['example', /is inside/],
    ['..hidden', /is inside/],
    ['../link', /is inside/],
    ['../repository-too/mine', /is inside/],
    ['../nowhere', /nowhere is a link to nothing/],
    ['../none/mine', /There is no folder .*none, where the fork would go: make it first\.$/],
    ['../file/mine', /There is no folder/]
  ]
  for (const [folder, message] of refused) {
    t.throws(() => targetOf(folder, root, root), { constructor: ForkError, message }, folder)
  }
})

await t.test('fork: a folder that is empty or missing is taken, as the person sees it, also beside one of the same beginning', async (t) => {
  const { root, beside } = places(t)
  t.equal(targetOf('../empty', root, root), join(beside, 'empty'))
  t.equal(targetOf('../../mine', root, join(root, 'example')), join(beside, 'mine'))
  t.equal(targetOf(join(beside, 'repository-2'), root, '/'), join(beside, 'repository-2'))
  t.equal(targetOf('../..mine', root, root), join(beside, '..mine'))
  symlinkSync(join(beside, 'empty'), join(beside, 'link'))
  t.equal(targetOf('../link', root, root), join(beside, 'empty'), 'a link stays where it is')
})

await t.test('fork: a missing folder, two of them and an unknown option are refused with what is accepted', async (t) => {
  t.strictSame(readWish(['../mine']), { folder: '../mine', isPublished: false })
  t.strictSame(readWish(['--published', '../mine']), { folder: '../mine', isPublished: true })
  for (const [args, message] of [
    [[], /^Name the folder of the fork, such as \.\.\/mine: npm run fork -- FOLDER \[--published\]$/],
    [[''], /^Name the folder/],
    [['--published'], /^Name the folder/],
    [['a', 'b'], /^Name one folder, and not 2/],
    [['--force'], /^There is no option --force/],
    [['a', '--link'], /^There is no option --link/]
  ] as const) t.throws(() => readWish(args), { constructor: ForkError, message }, args.join(' '))
})
