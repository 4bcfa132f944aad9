// The process that sends the load: it is given one job, and tells how far it is.
import { setTimeout as delay } from 'node:timers/promises'
import { dialectOf } from '../dialects/index.js'
import { documentOf } from '../document.js'
import { scenarioOf } from '../scenarios/index.js'
import { Client, type Task } from './client.js'
import { SocketConnection } from './connection.js'
import type { Job, Report, WarmUp } from './job.js'

const LONGEST_WARM_UP = 10_000 // milliseconds

const tell = (report: Report): void => { process.send!(report) }

process.on('disconnect', () => process.exit())
process.once('message', (job: Job) => {
  run(job).catch((error: Error) => tell({ state: 'failed', message: error.message }))
})

async function run ({ urls, connections, warmUp, seconds, kilobytes, hasTags, ...names }: Job): Promise<void> {
  const task: Task = {
    scenario: scenarioOf(names.scenario),
    dialect: dialectOf(names.dialect),
    document: documentOf(kilobytes),
    hasTags
  }
  const clients = Array.from({ length: connections }, (_, id) =>
    new Client(new SocketConnection(urls[id % urls.length]!), task, id))
  await Promise.all(clients.map((client) => client.create()))
  let isOver = false
  const running = Promise.all(clients.map((client) => client.run(() => isOver)))
  await Promise.race([running, measure(clients, warmUp, seconds)])
  isOver = true
  // Every request is answered before the entities are looked at.
  await running
  for (const client of clients) await client.verify()
  tell({ state: 'verified' })
}

async function measure (clients: readonly Client[], warmUp: WarmUp, seconds: number): Promise<void> {
  const answered = (): number => clients.reduce((sum, client) => sum + client.answered, 0)
  const end = performance.now() + LONGEST_WARM_UP
  await delay(warmUp.seconds * 1000)
  while (answered() < warmUp.requests && performance.now() < end) await delay(100)
  const before = { answered: answered(), time: performance.now(), cpu: process.cpuUsage() }
  tell({ state: 'warm' })
  await delay(seconds * 1000)
  const { user, system } = process.cpuUsage(before.cpu)
  tell({
    state: 'measured',
    answered: answered() - before.answered,
    seconds: (performance.now() - before.time) / 1000,
    cpu: user + system
  })
}
