// `npm run metrics:minute`: drives the reference server for a minute, or for `-- SECONDS`, and prints its metrics.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { listen, listening, SERVER, SETTINGS } from './server-process.js'
import { scriptedRound } from './scripted-load.js'

const seconds = Number(process.argv[2] ?? 60)
const child = spawn(process.execPath, [SERVER], {
  env: { ...process.env, ...SETTINGS, METRICS_PORT: '0', LOG_LEVEL: 'silent' },
  stdio: ['ignore', 'pipe', 'inherit']
})
const exit = once(child, 'exit')
const output = listen(child.stdout)
const port = await listening({ output })
const [, metrics] = await output.says(/^Metrics: (.*)$/m)
const end = performance.now() + seconds * 1000
for (let round = 0; performance.now() < end; round++) await scriptedRound(port, round)
console.log(await (await fetch(metrics!)).text())
child.kill('SIGTERM')
await exit
