import { samplesOf, type Result } from '../record.js'
import { median } from '../report.js'

/** What was measured, of which the medians of two are compared. */
export interface Place {
  readonly side: string
  readonly scenario: string
  readonly kilobytes?: number
  readonly connections?: number
}

/** One figure of a bar: what is compared with what. */
export interface Figure { readonly name: string, readonly own: Place, readonly base: Place, readonly limit: number }

/** What the plugin has to reach. */
export interface Bar {
  readonly name: string
  /** The record that has the figures. */
  readonly record: string
  /** `time` is that of a request of a client that sends one after the other. */
  readonly metric: 'cpu' | 'perSecond' | 'time'
  readonly figures: readonly Figure[]
}

const sameScenarios = (
  scenarios: readonly string[],
  side: string,
  base: string,
  limit: number,
  setting: Partial<Place> = {}
): Figure[] =>
  scenarios.map((scenario) => ({
    name: scenario,
    own: { side, scenario, ...setting },
    base: { side: base, scenario, ...setting },
    limit
  }))

const put = (side: string, base: string, limit: number, connections: number): Figure => ({
  name: `${side}, of ${base}`,
  own: { side, scenario: 'put', connections },
  base: { side: base, scenario: 'put', connections },
  limit
})

const ENGINES = ['sqlite', 'postgres', 'mysql', 'redis', 'etcd']
const PEERS = ['express-preconditions', 'restify', 'azurite', 'solid', 'etcd-gateway']

/** The bars. Those that compare time and CPU are met at the limit or below it, those of requests at it or above. */
export const bars: readonly Bar[] = [
  {
    name: 'CPU time in process, 1 KB, of the floor',
    record: 'in-process',
    metric: 'cpu',
    figures: [
      ...sameScenarios(['put', 'put-412', 'get'], 'memory', 'floor', 1.05),
      ...sameScenarios(['get-304'], 'memory', 'floor', 0.85),
      {
        name: 'get-304-early, of get-304',
        own: { side: 'memory', scenario: 'get-304-early' },
        base: { side: 'floor', scenario: 'get-304' },
        limit: 0.65
      }
    ]
  },
  {
    name: 'CPU time in process, 64 KB, of 1 KB',
    record: 'in-process',
    metric: 'cpu',
    figures: ['get-304-early', 'put-412-small'].map((scenario) => ({
      name: scenario,
      own: { side: 'memory', scenario, kilobytes: 64 },
      base: { side: 'memory', scenario },
      limit: 1.1
    }))
  },
  {
    name: 'CPU time in process, 64 KB as text, of bare Fastify that returns the object',
    record: 'in-process',
    metric: 'cpu',
    figures: [{
      name: 'get-text, of get',
      own: { side: 'memory', scenario: 'get-text', kilobytes: 64 },
      base: { side: 'bare', scenario: 'get', kilobytes: 64 },
      limit: 0.4
    }]
  },
  {
    name: 'CPU time over HTTP, 1 KB, of the floor',
    record: 'http',
    metric: 'cpu',
    figures: sameScenarios(['put', 'put-412', 'get', 'get-304'], 'memory', 'floor', 1.1, { connections: 32 })
  },
  {
    name: 'GET 304, requests a second, of `@fastify/etag`',
    record: 'peers',
    metric: 'perSecond',
    figures: [
      ...sameScenarios(['get-304'], 'memory', 'fastify-etag', 1.2, { connections: 64 }),
      {
        name: 'get-304-early, of get-304',
        own: { side: 'memory', scenario: 'get-304-early', connections: 64 },
        base: { side: 'fastify-etag', scenario: 'get-304', connections: 64 },
        limit: 1.2
      }
    ]
  },
  {
    name: 'PUT at 64 connections, requests a second',
    record: 'engines',
    metric: 'perSecond',
    figures: [
      put('sqlite', 'memory', 0.8, 64),
      put('postgres-noprecheck', 'postgres-by-hand', 2, 64),
      put('postgres', 'postgres-by-hand', 1.5, 64),
      put('redis-noprecheck', 'redis-by-hand', 0.95, 64),
      put('redis', 'redis-by-hand', 0.95, 64),
      put('etcd-noprecheck', 'etcd-by-hand', 1.5, 64),
      put('etcd', 'etcd-by-hand', 1.5, 64)
    ]
  },
  {
    name: 'PUT of a lone client, time',
    record: 'lone',
    metric: 'time',
    figures: ENGINES.map((engine) => put(`${engine}-noprecheck`, `${engine}-by-hand`, 1.05, 1))
  },
  {
    name: 'A transaction of the app, 10 connections, requests a second, of the same by hand',
    record: 'transactions',
    metric: 'perSecond',
    figures: [{
      name: 'transactions-noprecheck',
      own: { side: 'transactions-noprecheck', scenario: 'transaction', connections: 10 },
      base: { side: 'transactions-by-hand', scenario: 'transaction', connections: 10 },
      limit: 0.95
    }]
  },
  {
    name: 'Conditional PUT, requests a second, of each peer',
    record: 'peers',
    metric: 'perSecond',
    figures: PEERS.map((peer) => put('memory', peer, 1, 64))
  }
]

/** The value of a figure; undefined: it was not measured. */
export function valueOf ({ own, base }: Figure, metric: Bar['metric'], results: readonly Result[]): number | undefined {
  const [top, bottom] = [own, base].map((place) => middle(place, metric, results)) as [number, number]
  return Number.isNaN(top / bottom) ? undefined : top / bottom
}

/** Whether a value is as good as it has to be. */
export function isMet (value: number, limit: number, metric: Bar['metric']): boolean {
  return metric === 'perSecond' ? value >= limit : value <= limit
}

function middle ({ kilobytes = 1, connections = 1, ...place }: Place, metric: Bar['metric'], all: readonly Result[]) {
  const samples = samplesOf(all, { ...place, kilobytes, connections })
  const values = samples.map(({ cpu, perSecond }) =>
    metric === 'cpu' ? cpu ?? NaN : metric === 'time' ? 1 / perSecond : perSecond)
  return values.length === 0 ? NaN : median(values)
}
