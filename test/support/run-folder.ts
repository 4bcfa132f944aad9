import { readdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { compiled } from './folders.js'

/**
 * Runs the test files of a folder in this process, one after the other. Each is a subtest with its path as its title,
 * so that a failure names the file.
 *
 * @param folder as a path from the root
 */
export async function runFolder (folder: string): Promise<void> {
  for (const name of readdirSync(folder).filter((name) => name.endsWith('.test.ts'))) {
    const path = `${folder}/${name}`
    await t.test(path, async (file) => {
      // A file calls `t.test()` of the one `t` that all files import.
      file.intercept(t, 'test', { value: file.test.bind(file) })
      await import(pathToFileURL(resolve(compiled(path))).href)
    })
  }
}
