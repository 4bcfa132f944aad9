import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { programOf, skipWithout } from './services/programs.js'
import { uniqueName } from './services/service.js'

// With its threads.
const STRACE = ['-f', '-e', 'trace=fdatasync,fsync']

/** For `{ skip }` of a test that counts syncs: false, or the reason. Some machines let strace see nothing. */
export function skipWithoutTrace (): string | false {
  const missing = skipWithout('strace')
  if (missing !== false || process.env['CI'] === 'true') return missing
  const { status } = spawnSync(programOf('strace'), [...STRACE, '-o', '/dev/null', 'true'])
  return status !== 0 && 'strace sees nothing here'
}

/** How many times a process had the disk take what it wrote. */
export interface Syncs {
  /** So far. A call is counted before the process goes on. */
  count: () => number
  stop: () => Promise<void>
}

/** Counts the syncs of a process from now on. */
export async function syncsOf (t: Test, pid: number): Promise<Syncs> {
  const file = join(tmpdir(), `if-match-${uniqueName()}.strace`)
  t.teardown(() => { rmSync(file, { force: true }) })
  const strace = spawn(programOf('strace'), [...STRACE, '-p', String(pid), '-o', file], {
    stdio: ['ignore', 'ignore', 'pipe']
  })
  const ended = once(strace, 'close')
  let said = ''
  strace.stderr.setEncoding('utf8').on('data', (text: string) => { said += text })
  while (!said.includes('attached')) await once(strace.stderr, 'data')
  return {
    // A call of one thread is printed in two halves around that of another.
    count: () => readFileSync(file, 'utf8').match(/f(data)?sync(\(\d+\)| resumed>\)) += 0/g)?.length ?? 0,
    async stop () {
      strace.kill('SIGINT')
      await ended
    }
  }
}
