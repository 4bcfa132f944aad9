import t from 'tap'
import { measure } from '../../../bench/measure.js'
import { scenarios } from '../../../bench/scenarios.js'

// The sides with a storage are one app.
for (const [side, all] of [['bare', scenarios], ['memory', scenarios], ['sqlite', scenarios.slice(0, 1)]] as const) {
  for (const scenario of all) {
    await t.test(`bench: ${scenario.name} of ${side} is answered ${scenario.status}, and takes time`, async (t) => {
      const { perSecond, cpu } = await measure({ side, scenario, connections: 2, seconds: 1, folder: t.testdir() })
      t.ok(perSecond > 1, `${perSecond} requests a second`)
      t.ok(cpu > 1, `${cpu} microseconds`)
    })
  }
}

await t.test('bench: an answer of another status ends the run, and its server', async (t) => {
  const scenario = { ...scenarios[0]!, precondition: () => ({ 'if-match': '"stale"' }) }
  await t.rejects(measure({ side: 'memory', scenario, connections: 2, seconds: 1, folder: t.testdir() }), {
    message: 'PUT: 412 answer where all should be 200.'
  })
})

await t.test('bench: a side that cannot start ends the run', async (t) => {
  await t.rejects(measure({ side: 'none', scenario: scenarios[0]!, connections: 2, seconds: 1, folder: t.testdir() }), {
    message: 'the server process ended.'
  })
})
