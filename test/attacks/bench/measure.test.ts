import { readdirSync } from 'node:fs'
import t, { type Test } from 'tap'
import { dimensions } from '../../../bench/growth/dimensions.js'
import { measureInProcess } from '../../../bench/in-process/measure.js'
import { measure, type Run } from '../../../bench/measure.js'
import { hasPeers, peers } from '../../../bench/sides/peers.js'
import { sides } from '../../../bench/sides/index.js'
import { startEtcd } from '../../support/services/etcd.js'
import { startMariadb } from '../../support/services/mariadb.js'
import { startPostgres } from '../../support/services/postgres.js'
import { skipWithout } from '../../support/services/programs.js'
import { startRedis } from '../../support/services/redis.js'

// Each answer of a run is held to the status of its scenario, and each entity to the document: a run that ends well is
// the proof. How quick it was is nobody's business here.

const RUN = { scenario: 'put', connections: 2, kilobytes: 1, seconds: 0.3, warmUp: { seconds: 0.1, requests: 0 } }

/** Gives a variable of the environment to the processes of this test. */
function setVariable (t: Test, name: string, value: string): void {
  const before = process.env[name]
  t.teardown(() => {
    if (before === undefined) delete process.env[name]
    else process.env[name] = before
  })
  process.env[name] = value
}

const ENGINES = {
  postgres: { variable: 'POSTGRES_URL', start: startPostgres },
  transactions: { variable: 'POSTGRES_URL', start: startPostgres },
  mysql: { variable: 'MYSQL_URL', start: startMariadb },
  mariadb: { variable: 'MYSQL_URL', start: startMariadb },
  redis: { variable: 'REDIS_URL', start: startRedis },
  etcd: { variable: 'ETCD_URL', start: startEtcd }
} as const

/** The engine that a side needs. */
function engineOf (side: string): keyof typeof ENGINES | undefined {
  return (Object.keys(ENGINES) as Array<keyof typeof ENGINES>).find((name) => side.startsWith(name))
}

const FEW = ['put', 'put-412', 'transaction']

/** What a side is tried with: a process for each scenario takes its time. */
function scenariosOf (side: string): readonly string[] {
  const { scenarios: all } = sides[side]!
  if (side.startsWith('memory')) return ['put']
  // The app of the plugin is the same on each engine, with the early comparison and without: one scenario shows that
  // its storage works. One that was written by hand has a write and a refusal of its own.
  const isOfPlugin = [...Object.keys(ENGINES), 'sqlite'].includes(side)
  return isOfPlugin ? all.slice(0, 1) : all.filter((scenario) => FEW.includes(scenario))
}

/** An engine without the early comparison: the option is that of memory, and the engine that of its other side. */
const isTriedElsewhere = (side: string): boolean =>
  side.endsWith('-noprecheck') && !/^(?:memory|transactions)/.test(side)

const isPeer = (side: string): boolean => side in peers && engineOf(side) === undefined

for (const side of Object.keys(sides).filter((name) => !isTriedElsewhere(name))) {
  const engine = engineOf(side)
  const skip = engine === undefined
    ? isPeer(side) && !hasPeers() && 'npm run bench:peers installs it'
    : skipWithout(engine === 'transactions' ? 'postgres' : engine === 'mariadb' ? 'mysql' : engine)
  await t.test(`bench: ${side} is answered as it must be, and takes time`, { skip }, async (t) => {
    if (engine !== undefined) {
      const { variable, start } = ENGINES[engine]
      setVariable(t, variable, (await start(t)).url)
    }
    for (const scenario of scenariosOf(side)) {
      const { perSecond, cpu } = await measure({ ...RUN, side, scenario, folder: t.testdir() })
      t.ok(perSecond > 1, `${scenario}: ${perSecond} requests a second`)
      if (side !== 'etcd-gateway') t.ok(cpu! > 1, `${scenario}: ${cpu} microseconds`)
    }
  })
}

await t.test('bench: each scenario is answered in process as it must be, and a large document comes whole', async (t) => {
  for (const scenario of sides['memory']!.scenarios) {
    const kilobytes = scenario === 'get' ? 64 : 1
    const { cpu } = await measureInProcess({ ...RUN, side: 'memory', scenario, kilobytes, folder: t.testdir() })
    t.ok(cpu! > 1, `${scenario}: ${cpu} microseconds`)
  }
})

await t.test('bench: the largest document and the longest list of tags are answered', async (t) => {
  for (const [dimension, series] of [['size', 'memory put'], ['tags', 'memory']] as const) {
    const { sizes, measure } = dimensions.find(({ name }) => name === dimension)!
    const cost = await measure(series, sizes.at(-1)!, { seconds: 0.1, folder: t.testdir() })
    t.ok(cost > 1, `${dimension}: ${cost} microseconds`)
  }
})

await t.test('bench: several processes share the storage and the load', async (t) => {
  const { perSecond } = await measure({ ...RUN, side: 'sqlite', processes: 2, folder: t.testdir() })
  t.ok(perSecond > 1, `${perSecond} requests a second`)
})

await t.test('bench: a CPU profile of the server is written where it was asked for', async (t) => {
  const folder = t.testdir()
  await measure({ ...RUN, side: 'memory', folder, profiles: folder })
  t.match(readdirSync(folder), [/\.cpuprofile$/])
})

await t.test('bench: an answer of another status ends the run, and its server', async (t) => {
  // The side has no such route.
  const run: Run = { ...RUN, side: 'memory', scenario: 'transaction', folder: t.testdir() }
  const expected = { message: 'transaction: 404 answer where all should be 200.' }
  await t.rejects(measure(run), expected)
  await t.rejects(measureInProcess(run), expected)
})

await t.test('bench: a side that cannot start ends the run', async (t) => {
  await t.rejects(measure({ ...RUN, side: 'none', folder: t.testdir() }), { message: 'there is no side "none".' })
  setVariable(t, 'POSTGRES_URL', 'postgres://127.0.0.1:1/none')
  await t.rejects(measure({ ...RUN, side: 'postgres', folder: t.testdir() }), {
    message: 'the server process ended.'
  })
})
