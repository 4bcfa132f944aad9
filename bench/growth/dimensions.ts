import { measureInProcess } from '../in-process/measure.js'
import { measure } from '../measure.js'
import { measureAmong } from './among.js'

/** Something that may grow. */
export interface Dimension {
  readonly name: string
  /** What its sizes count. */
  readonly unit: string
  readonly sizes: readonly number[]
  /** What is measured at each size. */
  readonly series: readonly string[]
  /** What a series measures at a size: the CPU time of a call in microseconds, but where `unit` says otherwise. */
  measure (series: string, size: number, run: { seconds: number, folder: string }): Promise<number>
}

const DOUBLED = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]

/** A series is a side and a scenario. */
const partsOf = (series: string): { side: string, scenario: string } => {
  const [side, scenario] = series.split(' ') as [string, string]
  return { side, scenario }
}

export const dimensions: readonly Dimension[] = [
  {
    name: 'entities',
    unit: 'entities in the storage',
    sizes: [100, 1_000, 10_000, 100_000, 1_000_000],
    series: ['memory read', 'memory write', 'memory refused', 'sqlite read', 'sqlite write', 'sqlite refused'],
    measure: async (series, size, run) => await measureAmong(series, size, run)
  },
  {
    name: 'size',
    unit: 'KB of the document',
    sizes: [1, 4, 16, 64, 250, 1000], // Fastify takes a body of 1 MiB
    series: ['bare put', 'memory put', 'bare get', 'memory get', 'memory get-304', 'memory put-412-small'],
    measure: async (series, kilobytes, run) =>
      (await measureInProcess({ ...run, ...partsOf(series), kilobytes })).cpu!
  },
  {
    name: 'tags',
    unit: 'tags in If-Match',
    sizes: DOUBLED.slice(0, 9), // the plugin takes 256
    series: ['memory'],
    measure: async (side, count, run) =>
      (await measureInProcess({ ...run, side, scenario: `put-tags-${count}`, kilobytes: 1 })).cpu!
  },
  {
    name: 'connections',
    unit: 'connections',
    sizes: DOUBLED,
    series: ['floor put', 'memory put', 'sqlite put', 'memory get'],
    measure: async (series, connections, run) =>
      (await measure({ ...run, ...partsOf(series), connections, kilobytes: 1 })).cpu!
  },
  {
    name: 'processes',
    unit: 'server processes on one file',
    sizes: [1, 2, 3, 4],
    series: ['sqlite put', 'sqlite get'],
    measure: async (series, processes, run) =>
      (await measure({ ...run, ...partsOf(series), connections: 64, kilobytes: 1, processes })).cpu!
  }
]
