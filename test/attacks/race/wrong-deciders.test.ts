// The harness proves itself: deciders that compare apart from the write, and what it takes to see two writers win.
import t, { type Test } from 'tap'
import { get, put } from '../../support/race/client.js'
import type { Decider } from '../../support/race/protocol.js'
import { MODES, Race, type Mode } from '../../support/race/race.js'
import { flawsOfFlight, flawsOfOneWinner, winnersOf } from '../../support/race/rules.js'
import { Servers } from '../../support/race/servers.js'

const CLIENTS = 32
const ROUNDS = 20

// What is fast and not listed depends on chance, so it is shown and not asserted: the server mostly brings one request
// from its bytes to its write before it reads the next, in plain and in held mode.
const EXPOSED_FAST: Record<Exclude<Decider, 'plugin'>, readonly Mode[]> = {
  // The comparison is over before the body is there: split is the least that exposes it.
  onRequest: ['split'],
  // The body is there before the comparison: only a late store exposes these two.
  preHandler: [],
  adapter: []
}

for (const decider of ['onRequest', 'preHandler', 'adapter'] as const) {
  for (const isLate of [false, true]) {
    await t.test(`a comparison in the ${decider} and a write after it, ${isLate ? 'late' : 'fast'} store`, async (t) => {
      const servers = await Servers.start({ storage: 'memory:', decider }, 1)
      t.teardown(() => servers.stop())
      await servers.answerLate(isLate)
      const race = await Race.connect(servers, CLIENTS)
      t.teardown(() => race.close())
      for (const mode of MODES) {
        const isExposed = isLate || EXPOSED_FAST[decider].includes(mode)
        await t.test(`${mode}${isExposed ? ': loses updates in every round' : ''}`, async (t) => {
          const winners = await winnersByRound(t, race, mode, isLate)
          const lossy = winners.filter((count) => count > 1).length
          const most = Math.max(...winners)
          t.comment(`${lossy} of ${ROUNDS} rounds lost updates; up to ${most} of ${CLIENTS} writers won`)
          if (isExposed) t.ok(winners.every((count) => count === CLIENTS), 'every writer won every round')
        })
      }
    })
  }
}

async function winnersByRound (t: Test, race: Race, mode: Mode, isLate: boolean): Promise<number[]> {
  const path = `/things/${mode}`
  await race.request(put(path, 'If-None-Match: *', '{}'))
  const winners: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const { etag } = await race.request(get(path))
    const outcome = await race.round(mode, path, `If-Match: ${etag}`)
    t.same(flawsOfFlight(outcome, mode, isLate), [], `round ${round}: in flight together`)
    winners.push(winnersOf(outcome).length)
    const flaws = flawsOfOneWinner(outcome, 200, await race.request(get(path)))
    if (winners.at(-1) !== 1) t.ok(flaws.length > 0, `round ${round}: fails the race`)
  }
  return winners
}
