import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { readSettings } from '../../example/process/settings.js'
import { blockOf, runSession } from '../support/console-session.js'
import { sharedSetting } from '../support/example/storage.js'
import { listening, start } from '../support/example/server-process.js'

const PAGE = 'example/README.md'
const page = readFileSync(PAGE, 'utf8')

await t.test('example/README: the walk-through prints what the page says', async (t) => {
  const [, STEP_MS] = /^STEP_MS=(\d+) npm start\n/.exec(blockOf(PAGE, 'sh', 'STEP_MS='))!
  const server = start(t, { STORAGE: await sharedSetting(t), STEP_MS: STEP_MS! })
  const { said, printed } = await runSession(
    blockOf(PAGE, 'console', 'call()'),
    `http://127.0.0.1:${await listening(server)}`
  )
  t.equal(said, printed)
})

await t.test('example/README: the table has every setting that the server reads, with its default, and no other', async (t) => {
  const cellsOf = (line: string) => line.split('|').slice(1, 3).map((cell) => cell.trim().replaceAll('`', ''))
  const rows = page.split('\n').filter((line) => line.startsWith('| `')).map(cellsOf)
  const read: string[] = []
  const defaults = readSettings(new Proxy({}, { get: (_, name) => { read.push(String(name)) } }))
  t.strictSame(rows.map(([name]) => name).sort(), read.sort())
  t.strictSame(readSettings(Object.fromEntries(rows)), defaults)
})

await t.test('example/README: the map has every file, and no other', async (t) => {
  const files = readdirSync('example', { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))
  const named = page
    .split('\n')
    .flatMap((line) => /^- (`[^:]+):/.exec(line)?.[1]!.split(', ') ?? [])
    .map((name) => name.replaceAll('`', ''))
  // A folder that is named stands for its files.
  const folders = named.filter((name) => name.startsWith('desk/page/') && name.endsWith('/'))
  for (const folder of folders) t.ok(files.some((file) => file.startsWith(folder)), folder)
  const others = files.filter((file) => !folders.some((folder) => file.startsWith(folder)))
  t.strictSame(named.filter((name) => name.endsWith('.ts')).sort(), others.sort())
})
