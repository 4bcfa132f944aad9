import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createEntities, load } from './load.js'
import type { Scenario } from './scenarios.js'
import { ServerProcess } from './server-process.js'
import { hasTags } from './sides.js'

/** What one run of one server said. */
export interface Sample {
  /** Requests answered in a second. */
  readonly perSecond: number
  /** CPU time of the server process for a request, its kernel time included, in microseconds. */
  readonly cpu: number
}

export interface Run {
  readonly side: string
  readonly scenario: Scenario
  readonly connections: number
  /** How long is measured, after a third of it, at least half a second, to warm up. */
  readonly seconds: number
  /** Where the files of the storage go for the time of the run. */
  readonly folder: string
}

/** Measures one scenario on a fresh server process with a fresh storage. */
export async function measure ({ side, scenario, connections, seconds, folder }: Run): Promise<Sample> {
  const fresh = await mkdtemp(join(folder, 'bench-'))
  const server = await ServerProcess.start(side, fresh)
  try {
    const { url } = server
    await createEntities(url, connections)
    await load({ url, scenario, connections, seconds: Math.max(seconds / 3, 0.5), hasTags: hasTags(side) })
    const before = await server.cpuTime()
    const { perSecond, answered } = await load({ url, scenario, connections, seconds, hasTags: hasTags(side) })
    return { perSecond, cpu: (await server.cpuTime() - before) / answered }
  } finally {
    await server.stop()
    await rm(fresh, { recursive: true })
  }
}
