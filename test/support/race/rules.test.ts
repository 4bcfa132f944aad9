import t from 'tap'
import type { Answer } from './client.js'
import { flawsOfFlight, flawsOfLastOneWins, flawsOfOneWinner } from './rules.js'

// The judges of the races are judged: each flaw that a server could have is one that they see.

const answer = (status: number, etag: string, body = ''): Answer => ({ status, etag, body })
const WON = {
  bodies: ['a', 'b', 'c'],
  answers: [answer(412, '"2"'), answer(200, '"2"'), answer(412, '"2"')],
  reports: []
}
const STORED = answer(200, '"2"', 'b')

await t.test('one winner: a sound round has no flaw, and every other round has one', async (t) => {
  t.same(flawsOfOneWinner(WON, 200, STORED), [])
  const flawed: Array<[string, typeof WON, Answer]> = [
    ['two winners', { ...WON, answers: [answer(200, '"1"'), answer(200, '"2"'), answer(412, '"2"')] }, STORED],
    ['no winner', { ...WON, answers: [answer(412, '"2"'), answer(412, '"2"'), answer(412, '"2"')] }, STORED],
    ['another status', { ...WON, answers: [answer(503, '"2"'), answer(200, '"2"'), answer(412, '"2"')] }, STORED],
    [
      'a loser with another tag',
      { ...WON, answers: [answer(412, '"1"'), answer(200, '"2"'), answer(412, '"2"')] },
      STORED
    ],
    ["a loser's body stored", WON, answer(200, '"2"', 'a')],
    ['another tag stored', WON, answer(200, '"3"', 'b')],
    ['nothing stored', WON, answer(404, '"2"', '')]
  ]
  for (const [name, outcome, stored] of flawed) t.ok(flawsOfOneWinner(outcome, 200, stored).length > 0, name)
  t.ok(flawsOfOneWinner(WON, 201, STORED).length > 0, 'replaced where it should have created')
})

await t.test('last one wins: a sound round has no flaw, and every other round has one', async (t) => {
  const all = { ...WON, answers: [answer(200, '"1"'), answer(200, '"2"'), answer(200, '"3"')] }
  t.same(flawsOfLastOneWins(all, STORED), [])
  t.ok(flawsOfLastOneWins(WON, STORED).length > 0, 'a refusal')
  t.ok(
    flawsOfLastOneWins({ ...all, answers: [answer(200, '"2"'), answer(200, '"2"'), answer(200, '"3"')] }, STORED)
      .length > 0,
    'one tag twice'
  )
  t.ok(flawsOfLastOneWins(all, answer(200, '"2"', 'c')).length > 0, 'a body under the tag of another')
  t.ok(flawsOfLastOneWins(all, answer(200, '"9"', 'b')).length > 0, 'a tag that nobody was told')
})

await t.test('in flight: a round whose requests did not meet is not proven', async (t) => {
  const report = (seenInFirstTurn: number, seenBeforeFirstWrite: number) => ({
    ...WON,
    reports: [{ requests: 3, seenInFirstTurn, seenBeforeFirstWrite }]
  })
  t.same(flawsOfFlight(report(3, 3), 'split', true), [])
  t.same(flawsOfFlight(report(1, 1), 'plain', false), [], 'plain proves nothing')
  t.ok(flawsOfFlight(report(2, 3), 'held', false).length > 0)
  t.ok(flawsOfFlight(report(3, 2), 'split', false).length > 0)
  t.ok(flawsOfFlight(report(3, 2), 'plain', true).length > 0)
})
