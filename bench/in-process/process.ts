// The process of one run in process: an app, and one client that asks it over a socket in memory.
import { dialectOf } from '../dialects/index.js'
import { documentOf } from '../document.js'
import { Client } from '../load/client.js'
import type { Report } from '../load/job.js'
import { scenarioOf } from '../scenarios/index.js'
import { appOf, sideOf } from '../sides/index.js'
import { MemoryConnection } from './memory-connection.js'

const [side, folder, scenario, kilobytes, seconds] = process.argv.slice(2) as [string, string, string, string, string]
const tell = (report: Report): void => { process.send!(report) }

process.on('disconnect', () => process.exit())

async function run (): Promise<void> {
  const app = await appOf(side, folder)
  await app.ready()
  const client = new Client(new MemoryConnection(app.server), {
    scenario: scenarioOf(scenario),
    dialect: dialectOf('offers'),
    document: documentOf(Number(kilobytes)),
    hasTags: sideOf(side).hasTags ?? true
  }, 1)
  await client.create()
  await client.run(after(Number(seconds) / 2))
  globalThis.gc!()
  const before = { answered: client.answered, time: performance.now(), cpu: process.cpuUsage() }
  await client.run(after(Number(seconds)))
  const { user, system } = process.cpuUsage(before.cpu)
  const time = performance.now() - before.time
  await client.verify()
  tell({ state: 'measured', answered: client.answered - before.answered, seconds: time / 1000, cpu: user + system })
}

/**
 * Whether the process has worked for so long, by its CPU time: so it is as warm on a machine that others use. One that
 * waits for a disk ends by the clock. Looked at now and then: a look costs as much as a part of a request.
 */
function after (seconds: number): () => boolean {
  const before = process.cpuUsage()
  const end = performance.now() + 4 * seconds * 1000
  let asked = 0
  return () => {
    if (++asked % 64 !== 0) return false
    const { user, system } = process.cpuUsage(before)
    return user + system >= seconds * 1e6 || performance.now() >= end
  }
}

run().catch((error: Error) => tell({ state: 'failed', message: error.message }))
