import { createHash } from 'node:crypto'
import {
  chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmdirSync, rmSync, writeFileSync
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { Lock, Manifest } from './dependencies.js'
import { compilerSettings, manifestOf, packageNameOf, toJson } from './manifest.js'
import { npm } from './npm.js'
import { movedPage } from './pages.js'
import { moved } from './places.js'
import { readmeOf } from './readme.js'
import { movedSources, sourcesIn, type Files } from './sources.js'
import { ForkError } from './target.js'

/** A fork as it will be, but for its lock file. */
export interface Fork { files: Files, ours: Manifest, lock: Lock, name: string }

const IGNORED = ['node_modules', 'dist', '.tap', 'coverage', 'data']

/**
 * The files of a fork.
 *
 * @param root of the repository
 * @param folder that the fork is named after
 */
export function forkOf (root: string, folder: string, isPublished: boolean): Fork {
  const read = (name: string): any => JSON.parse(readFileSync(join(root, name), 'utf8'))
  const ours: Manifest = read('package.json')
  const lock: Lock = read('package-lock.json')
  const sources = sourcesIn(root)
  const has = (path: string): boolean => sources.has(path)
  const page = (path: string): string => movedPage(path, sources.get(path)!, has)
  const name = packageNameOf(basename(folder), ours)
  const files: Files = new Map([...movedSources(sources), ...compilerSettings(read)])
  for (const path of sources.keys()) if (path.endsWith('.md')) files.set(moved(path), page(path))
  files.set('README.md', readmeOf({ name, version: ours.version, isPublished }, page('example/README.md')))
  files.set('.gitignore', IGNORED.join('\n') + '\n')
  const ifMatch = isPublished ? `^${ours.version}` : `file:${tarballOf(ours)}`
  files.set('package.json', toJson(manifestOf(name, files, ours, lock, ifMatch)))
  return { files, ours, lock, name }
}

/**
 * Makes a fork. It is written beside its place and moved there when it is whole, so that there is never a part of it.
 *
 * @param target an empty folder, or one that is missing
 * @param signal ends it, and nothing is left
 */
export async function makeFork (
  root: string,
  target: string,
  isPublished: boolean,
  signal: AbortSignal
): Promise<void> {
  const fork = forkOf(root, target, isPublished)
  const folder = mkdtempSync(`${target}.unfinished-`)
  try {
    for (const [path, text] of fork.files) {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), text)
    }
    if (!isPublished) await pack(root, join(folder, 'vendor'), signal)
    await lockVersions(folder, fork, isPublished, signal)
    // For its owner alone until here.
    chmodSync(folder, 0o777 & ~process.umask())
    // An empty folder is replaced where the system can do that in one step.
    if (process.platform === 'win32' && existsSync(target)) rmdirSync(target)
    renameSync(folder, target)
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    throw error
  }
}

/** Packs this package as it is built here: a user may have it before it is published, or with changes of their own. */
async function pack (root: string, folder: string, signal: AbortSignal): Promise<void> {
  mkdirSync(folder)
  await npm(['pack', '--ignore-scripts', '--silent', '--pack-destination', folder], root, signal)
}

/**
 * Writes a lock file with the versions of this repository, by which the fork was tested. What the fork does not need is
 * removed by npm, without a network.
 */
async function lockVersions (
  folder: string,
  { files, ours, lock, name }: Fork,
  isPublished: boolean,
  signal: AbortSignal
): Promise<void> {
  const packages: Lock['packages'] = { ...lock.packages, '': JSON.parse(files.get('package.json')!) }
  if (!isPublished) packages['node_modules/fastify-if-match'] = vendored(folder, ours)
  writeFileSync(join(folder, 'package-lock.json'), toJson({ ...lock, name, version: '0.0.0', packages }))
  const options = ['--package-lock-only', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  try {
    await npm(['install', ...options, ...isPublished ? [] : ['--offline']], folder, signal)
  } catch (error) {
    if (!isPublished || !/E404/.test(String(error))) throw error
    throw new ForkError(
      `fastify-if-match ${ours.version} is not in the registry: leave out --published, and the fork has it from here.`
    )
  }
}

/** What the lock file says of the package that goes along. */
function vendored (folder: string, { version, license, engines, dependencies, peerDependencies }: Manifest): object {
  const tarball = tarballOf({ version })
  const digest = createHash('sha512').update(readFileSync(join(folder, tarball))).digest('base64')
  const integrity = `sha512-${digest}`
  return { version, resolved: `file:${tarball}`, integrity, license, engines, dependencies, peerDependencies }
}

function tarballOf ({ version }: { version: string }): string {
  return `vendor/fastify-if-match-${version}.tgz`
}
