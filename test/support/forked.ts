import { execFile, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync
} from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import type { Test } from 'tap'
import { listen } from './example/server-process.js'

/** What a command did. */
export interface Ended { code: number | null, stdout: string, stderr: string }

/** An empty folder outside of the repository, which ends with the test. */
export function emptyFolder (t: Test): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'if-match-fork-')))
  t.teardown(async () => { await rm(folder, { recursive: true, force: true, maxRetries: 3 }) })
  return folder
}

/** Runs the script of `npm run fork` with these variables. */
export async function fork (args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  return await run(process.execPath, ['dist/fork/run.js', ...args], { env: { INIT_CWD: '.', ...env } })
}

/** Runs a command to its end. */
export async function run (
  file: string,
  args: readonly string[],
  { cwd = '.', env = {} }: { cwd?: string, env?: Record<string, string> } = {}
): Promise<Ended> {
  return await new Promise((resolve) => {
    execFile(file, args, { cwd, env: { ...process.env, ...env }, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), stdout, stderr })
    })
  })
}

/** Something in the place of npm, which runs this program; for the variable `npm_execpath`. */
export function npmThat (folder: string, program: string): { npm_execpath: string } {
  const file = join(folder, 'npm-cli.mjs')
  writeFileSync(file, program)
  chmodSync(file, 0o755)
  return { npm_execpath: file }
}

/**
 * Installs a fork out of what is installed here: links to the packages that its lock file names, and its own tarball.
 * What the lock file does not name cannot be imported.
 */
export function link (folder: string): void {
  const { packages } = JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8'))
  const modules = join(folder, 'node_modules')
  const names = Object.keys(packages).filter((path) => /^node_modules\/(?!.*node_modules\/)/.test(path))
  for (const path of names.filter((path) => path !== 'node_modules/fastify-if-match')) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    symlinkSync(resolve(path), join(folder, path))
  }
  symlinkSync(resolve('node_modules/.bin'), join(modules, '.bin'))
  const vendor = join(folder, 'vendor')
  const own = join(modules, 'fastify-if-match')
  mkdirSync(own)
  execFileSync('tar', ['-xzf', join(vendor, readdirSync(vendor)[0]!), '-C', own, '--strip-components=1'])
}

/** Starts a fork by its own command, and gives where it listens. It is killed when the test ends. */
export async function startFork (t: Test, folder: string): Promise<string> {
  // A group of its own: npm starts a shell, and that the server.
  const child = spawn('npm', ['start'], {
    cwd: folder,
    env: { ...process.env, PORT: '0' },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true
  })
  const exit = once(child, 'exit')
  const log = listen(child.stderr)
  t.teardown(async () => {
    process.kill(-child.pid!, 'SIGKILL')
    await exit
  })
  const says = listen(child.stdout).says(/listens at (http:\/\/127\.0\.0\.1:\d+)/)
  const ended = exit.then(() => { throw new Error(`The fork did not start:\n${log.text()}`) })
  return (await Promise.race([says, ended]))[1]!
}
