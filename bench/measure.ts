import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { WarmUp } from './load/job.js'
import { load } from './load/load.js'
import { ServerProcess } from './server-process.js'
import { sideOf } from './sides/index.js'

/** What one run of one server said. */
export interface Sample {
  /** Requests answered in a second. */
  readonly perSecond: number
  /** CPU time of the server for a request, its kernel time included, in microseconds; undefined: not known. */
  readonly cpu: number | undefined
  /** The part of a core that the generator of load used; undefined: there was none. */
  readonly generator?: number | undefined
}

export interface Run {
  readonly side: string
  readonly scenario: string
  readonly connections: number
  /** The size of the document. */
  readonly kilobytes: number
  readonly seconds: number
  /** By default a third of these seconds, at least half a second, and 5,000 requests. */
  readonly warmUp?: WarmUp
  /** Where the files of the storage go for the time of the run. */
  readonly folder: string
  /** How many server processes share the storage and the load; 1 by default. */
  readonly processes?: number
  /** The folder that gets a CPU profile of each server process. */
  readonly profiles?: string | undefined
}

/** Measures one scenario over HTTP, on fresh server processes with a fresh storage. */
export async function measure (run: Run): Promise<Sample> {
  const { side, scenario, connections, kilobytes, seconds, folder, processes = 1, profiles } = run
  const fresh = await mkdtemp(join(folder, 'bench-'))
  const servers: ServerProcess[] = []
  try {
    // One after the other: the first one makes the table.
    for (let count = 0; count < processes; count++) servers.push(await ServerProcess.start(side, fresh, profiles))
    const cpuTimes: number[] = []
    const noteCpu = async (): Promise<void> => {
      const times = await Promise.all(servers.map((server) => server.cpuTime()))
      cpuTimes.push(times.reduce<number>((sum, time) => sum + (time ?? NaN), 0))
    }
    const { dialect = 'offers', hasTags = true } = sideOf(side)
    const urls = servers.map(({ url }) => url)
    const warmUp = run.warmUp ?? { seconds: Math.max(seconds / 3, 0.5), requests: 5000 }
    const job = { urls, scenario, dialect, connections, kilobytes, hasTags, warmUp, seconds }
    const { answered, generator, ...measured } = await load(job, noteCpu, noteCpu)
    const cpu = (cpuTimes[1]! - cpuTimes[0]!) / answered
    return { perSecond: answered / measured.seconds, cpu: Number.isNaN(cpu) ? undefined : cpu, generator }
  } finally {
    for (const server of servers) await server.stop()
    await rm(fresh, { recursive: true })
  }
}
