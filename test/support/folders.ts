import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, relative } from 'node:path'

// A process costs half a second of a core before its first test, and two with Fastify in it: more than most files
// below take. The rest works on engines and with processes. Its files wait, so they run side by side.
const SHARING = /^test\/(unit|http|docs|repository|support|example\/(app|clients|desk|offers|readings))(\/|$)/

// Whose tests cover what is their mirror image, file by file: with `--alone` no other test can do it for them.
const MIRRORS = /^test\/unit(\/|$)/

const MODULES = 'dist/test/folders'

/** Where the compiler puts a test file. */
export function compiled (source: string): string {
  return `dist/${source.replace(/\.ts$/, '.js')}`
}

/**
 * What tap is to run for these files, in their order: a module for each folder whose files share a process, and the
 * other files themselves. Of a folder that is not selected as a whole each file runs in a process of its own, so a
 * module always stands for all of its folder.
 *
 * @param files those selected, as paths from the root
 * @param sources all that there are
 * @param isAlone whether each file that covers its own module runs in a process of its own
 */
export function byProcess (files: readonly string[], sources: readonly string[], isAlone = false): string[] {
  const among = (paths: readonly string[], folder: string): number =>
    paths.filter((path) => dirname(path) === folder).length
  const shares = (folder: string): boolean =>
    SHARING.test(folder) && !(isAlone && MIRRORS.test(folder)) && among(files, folder) > 1 && among(files, folder) === among(sources, folder)
  const moduleOf = (file: string): string =>
    shares(dirname(file)) ? dirname(file).replace('test', MODULES) + '.test.js' : compiled(file)
  return [...new Set(files.map(moduleOf))]
}

/** Writes those of these modules that stand for a folder. */
export function writeFolderModules (modules: readonly string[]): void {
  for (const path of modules) {
    if (!path.startsWith(MODULES)) continue
    const folder = path.replace(MODULES, 'test').replace('.test.js', '')
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(
      path,
      `import { runFolder } from '${relative(dirname(path), 'dist/test/support/run-folder.js')}'\n` +
      `await runFolder('${folder}')\n`
    )
  }
}
