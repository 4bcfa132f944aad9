import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { fileOf } from '../../support/sqlite/handles.js'

const WRITER = fileURLToPath(new URL('batches.js', import.meta.url))
const BATCHES = 20
const SIZE = 16

// Of the main thread alone, which makes all of these calls. So no call is printed in two halves, around calls of other
// threads.
const STRACE = ['-y', '-e', 'trace=write,pwrite64,fsync,fdatasync']

/** Why system calls cannot be seen here; undefined if they can. */
function blindness (): string | undefined {
  const args = [...STRACE, '-o', '/dev/null', process.execPath, '--version']
  const { error, status, stderr } = spawnSync('strace', args, { encoding: 'utf8' })
  return error?.message ?? (status === 0 ? undefined : stderr.trim())
}

/**
 * The system calls of the writer from its boot to its end, one letter each: it wrote to the write-ahead log (w), had
 * that log synced (s), or gave an answer (a).
 */
function callsOf (t: Test, synchronous: 'FULL' | 'NORMAL'): string {
  const file = fileOf(t)
  const trace = `${file}.strace`
  const writer = [process.execPath, WRITER, file, `${file}.answers`, synchronous, String(BATCHES), String(SIZE)]
  const { status, stderr } = spawnSync('strace', [...STRACE, '-o', trace, ...writer], { encoding: 'utf8' })
  t.equal(status, 0, stderr)
  t.equal(
    readFileSync(`${file}.answers`, 'utf8').match(/refused/g)?.length,
    BATCHES,
    'a refusal is among the answers of each batch'
  )
  const [, calls] = /"open\\n"(.*)"done\\n"/s.exec(readFileSync(trace, 'utf8')) as unknown as [string, string]
  return calls.split('\n').map(letterOf).join('')
}

function letterOf (line: string): string {
  if (/^p?write\w*\(\d+<[^>]*-wal>/.test(line)) return 'w'
  if (/^f\w*sync\(\d+<[^>]*-wal>\) += 0$/.test(line)) return 's'
  return /^write\(\d+<[^>]*\.answers>, "\d/.test(line) ? 'a' : ''
}

const why = blindness()

if (why !== undefined && process.env.CI !== 'true') {
  t.pass('sqlite: each batch reaches the disk before its first answer', {
    skip: `not shown here, for want of strace: ${why}`
  })
} else if (t.equal(why, undefined, 'strace works')) {
  await t.test(`sqlite: each of ${BATCHES} batches reaches the disk before its first answer, a refusal too; one fsync serves ${SIZE} writes`, async (t) => {
    const calls = callsOf(t, 'FULL')
    t.match(calls, new RegExp(`^((w+s)+a{${SIZE}}){${BATCHES}}$`))
    const syncs = calls.replaceAll(/[^s]/g, '').length
    t.ok(syncs >= BATCHES && syncs <= 2 * BATCHES, `${syncs} fsyncs for ${BATCHES * SIZE} writes`)
  })

  await t.test('sqlite: with NORMAL no batch waits for the disk, so the test above can fail', async (t) => {
    t.match(callsOf(t, 'NORMAL'), new RegExp(`^(w+a{${SIZE}}){${BATCHES}}$`))
  })
}
