import type { Test } from 'tap'
import { get, put } from './client.js'
import { raise } from './counter.js'
import { MODES, Race, type Mode } from './race.js'
import { flawsOfFlight, flawsOfLastOneWins, flawsOfOneWinner } from './rules.js'
import { Servers } from './servers.js'

const ROUNDS = process.env.RACE_ROUNDS === undefined ? undefined : Number(process.env.RACE_ROUNDS)
if (ROUNDS !== undefined && !(ROUNDS >= 1)) throw new TypeError('RACE_ROUNDS: how many rounds, 1 or more')

/** How much is raced. */
export interface RaceExtent {
  /** How many clients race; one race after the other. */
  clients: readonly number[]
  /** How many rounds, unless RACE_ROUNDS says so. */
  rounds: number
  /** How many times each client raises the counter. */
  raises: number
}

interface RaceOptions extends RaceExtent {
  /** An empty store, as STORAGE of the reference server names it. */
  newStorage: (t: Test) => string | Promise<string>
  processes: number
}

/** The races that every store must pass, as it is and answering late, with so many server processes on it. */
export async function raceSuite (
  t: Test,
  { newStorage, processes, clients, rounds, raises }: RaceOptions
): Promise<void> {
  const servers = await Servers.start({ storage: await newStorage(t), decider: 'plugin' }, processes)
  t.teardown(() => servers.stop())
  for (const isLate of [false, true]) {
    await t.test(`${isLate ? 'late, ' : ''}server processes: ${processes}`, async (t) => {
      await servers.answerLate(isLate)
      for (const count of clients) {
        for (const mode of MODES) {
          await t.test(`${count} clients, ${mode}`, (t) => races(t, servers, count, mode, ROUNDS ?? rounds))
        }
      }
      await t.test(
        `a counter that 16 clients raise ${raises} times each, again after each 412, ends at ${16 * raises}`,
        (t) => counts(t, servers, raises)
      )
    })
  }
}

async function races (t: Test, servers: Servers, clients: number, mode: Mode, rounds: number): Promise<void> {
  const fewRounds = Math.ceil(rounds / 10)
  const race = await Race.connect(servers, clients)
  t.teardown(() => race.close())
  const things = `/things/${servers.isLate ? 'late-' : ''}${mode}-${clients}`

  await t.test('PUTs with one tag: one 2xx, all others 412, the winner stored', async (t) => {
    let { etag } = await race.request(put(`${things}-tag`, 'If-None-Match: *', '{}'))
    for (let round = 0; round < rounds; round++) {
      const outcome = await race.round(mode, `${things}-tag`, `If-Match: ${etag}`)
      const stored = await race.request(get(`${things}-tag`))
      const flaws = [...flawsOfOneWinner(outcome, 200, stored), ...flawsOfFlight(outcome, mode, servers.isLate)]
      if (stored.etag === etag) flaws.push('the tag did not change')
      if (!t.same(flaws, [], `round ${round}`)) break
      etag = stored.etag
    }
  })

  await t.test('PUTs with If-None-Match: *: one 201, all others 412, the winner stored', async (t) => {
    for (let round = 0; round < fewRounds; round++) {
      const outcome = await race.round(mode, `${things}-new-${round}`, 'If-None-Match: *')
      const stored = await race.request(get(`${things}-new-${round}`))
      const flaws = [...flawsOfOneWinner(outcome, 201, stored), ...flawsOfFlight(outcome, mode, servers.isLate)]
      if (!t.same(flaws, [], `round ${round}`)) break
    }
  })

  await t.test('PUTs with If-Match: *: each is applied, the last one is stored', async (t) => {
    await race.request(put(`${things}-star`, 'If-None-Match: *', '{}'))
    for (let round = 0; round < fewRounds; round++) {
      const outcome = await race.round(mode, `${things}-star`, 'If-Match: *')
      const stored = await race.request(get(`${things}-star`))
      const flaws = [...flawsOfLastOneWins(outcome, stored), ...flawsOfFlight(outcome, mode, servers.isLate)]
      if (!t.same(flaws, [], `round ${round}`)) break
    }
  })
}

async function counts (t: Test, servers: Servers, raises: number): Promise<void> {
  const race = await Race.connect(servers, 16)
  t.teardown(() => race.close())
  const counter = `/things/${servers.isLate ? 'late-' : ''}counter`
  await race.request(put(counter, 'If-None-Match: *', '{"count":0}'))
  const refused = await servers.within(
    60,
    'the counter',
    Promise.all(race.clients.map((client) => raise(client, counter, raises)))
  )
  t.comment(`${refused.reduce((sum, times) => sum + times, 0)} refusals on the way`)
  t.equal((await race.request(get(counter))).body, `{"count":${16 * raises}}`)
}
