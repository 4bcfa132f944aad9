import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { moved, movedText, namedModules } from './places.js'

/** Files by their paths, with slashes. */
export type Files = Map<string, string>

// The page of the API goes along: the tests of its readings are about it, and a fork changes both.
const PAGES = ['docs/reference/offers-api.md']
const AS_THEY_ARE = ['LICENSE', 'eslint.config.js']

/**
 * What of the repository goes along with a fork, as it is there: the server, its tests, and what they import.
 *
 * @throws Error if a test needs a part of the repository that stays there
 */
export function sourcesIn (root: string): Files {
  const files: Files = new Map()
  const add = (path: string): void => {
    if (files.has(path)) return
    const text = readFileSync(join(root, path), 'utf8')
    files.set(path, text)
    if (!path.endsWith('.ts')) return
    for (const name of namedModules(path, text)) {
      if (!isFile(join(root, name))) continue
      if (!/^(example|test)\//.test(name)) throw new Error(`${path} needs ${name}, which stays in the repository.`)
      add(name)
    }
  }
  for (const folder of ['example', 'test/example']) {
    for (const name of readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })) {
      if (isFile(join(root, folder, name))) add(`${folder}/${name.replaceAll('\\', '/')}`)
    }
  }
  for (const path of [...PAGES, ...AS_THEY_ARE]) add(path)
  return files
}

/** These files where they are in a fork, but for pages. @throws Error if two of them had one place */
export function movedSources (sources: Files): Files {
  const files: Files = new Map()
  for (const [path, text] of sources) {
    if (path.endsWith('.md')) continue
    if (files.has(moved(path))) throw new Error(`Two files would be ${moved(path)} of the fork.`)
    files.set(moved(path), /\.[jt]s$/.test(path) ? movedText(path, text, (path) => sources.has(path)) : text)
  }
  return files
}

function isFile (path: string): boolean {
  return existsSync(path) && statSync(path).isFile()
}
