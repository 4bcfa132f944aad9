import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { call, put } from '../../support/example/server-client.js'
import { listen, listening, processes, SETTINGS } from '../../support/example/server-process.js'
import { freePort } from '../../support/services/free-port.js'
import { fileOf } from '../../support/sqlite/handles.js'

/** Starts a server as a developer does, build included. It is killed with all its processes when the test ends. */
function npmStart (t: Test, settings: Record<string, string>) {
  const npm = spawn('npm', ['start'], {
    env: { ...process.env, ...SETTINGS, ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true
  })
  const exit = once(npm, 'exit')
  t.teardown(async () => {
    // The group may have ended by itself.
    try { process.kill(-npm.pid!, 'SIGKILL') } catch {}
    await exit
  })
  return { exit, output: listen(npm.stdout), log: listen(npm.stderr) }
}

/** The ids of the processes that have logged so far; npm writes lines of its own. */
function workersOf ({ log }: ReturnType<typeof npmStart>): number[] {
  const lines = log.text().split('\n').filter((line) => line.startsWith('{') && line.endsWith('}'))
  return [...processes(lines.join('\n'))]
}

/** All files of the build, with the times at which they were written and their sizes. */
function build (): Record<string, string> {
  const names = readdirSync('dist', { recursive: true, encoding: 'utf8' })
  const stats = names.map((name) => [name, statSync(join('dist', name))] as const)
  return Object.fromEntries(
    stats.filter(([, stat]) => stat.isFile()).map(([name, { mtimeMs, size }]) => [name, `${mtimeMs} ${size}`])
  )
}

/** Writes to a server again and again until it is told to stop, and gives the statuses of all answers. */
function writeAgainAndAgain (port: string): { stop: () => Promise<number[]> } {
  const over = new AbortController()
  const run = async (): Promise<number[]> => {
    const statuses: number[] = []
    while (!over.signal.aborted) statuses.push((await put(port, 'steady', { 'if-match': '*' })).status)
    return statuses
  }
  const statuses = run()
  return {
    async stop () {
      over.abort()
      return await statuses
    }
  }
}

await t.test('npm start of a second server changes no file, and the first one goes on, also while it forks its workers and after it is started again', async (t) => {
  const [firstPort, secondPort] = [String(await freePort()), String(await freePort())]
  const first = { STORAGE: `sqlite:${fileOf(t)}`, WORKERS: '2', PORT: firstPort }
  const second = { STORAGE: 'memory:', PORT: secondPort }

  // This start brings the build up to date, if it is not.
  let running = npmStart(t, first)
  await listening(running)
  const built = build()
  t.equal((await put(firstPort, 'tide-db')).status, 201)

  const toFirst = writeAgainAndAgain(firstPort)
  await listening(npmStart(t, second))
  t.equal((await put(secondPort, 'tide-db')).status, 201)
  const answers = await toFirst.stop()
  t.strictSame([...new Set(answers)].sort(), [200, 201], 'the first server answered every request')
  t.strictSame(build(), built, 'the second build changed no file')

  // A worker that is killed ends its server, for a supervisor to start it again. The other server runs meanwhile.
  const toSecond = writeAgainAndAgain(secondPort)
  process.kill(workersOf(running)[0]!, 'SIGKILL')
  t.strictSame(await running.exit, [1, null])
  t.match(running.log.text(), /ended unasked/)
  // It forks one worker after the other, from the same files, while a third server is built and started.
  running = npmStart(t, { ...first, WORKERS: '4' })
  const third = npmStart(t, { STORAGE: 'memory:' })
  await Promise.all([listening(running), listening(third)])
  t.equal((await call(firstPort, '/tide-db')).status, 200, 'its offer is there')
  t.equal(workersOf(running).length, 4)
  t.strictSame([...new Set(await toSecond.stop())].sort(), [200, 201], 'the second server answered every request')
  t.strictSame(build(), built, 'no build changed a file')
})
