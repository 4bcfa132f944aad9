import type { Answer } from './client.js'
import type { Mode, Outcome } from './race.js'

/** Whose 2xx it was, by client. */
export function winnersOf ({ answers }: Outcome): number[] {
  return [...answers.keys()].filter((at) => answers[at]!.status >= 200 && answers[at]!.status < 300)
}

/** The flaws of a round in which one writer must win: one `success`, all others 412 with its tag, its body stored. */
export function flawsOfOneWinner (outcome: Outcome, success: 200 | 201, stored: Answer): string[] {
  const { answers, bodies } = outcome
  const odd = answers.filter(({ status }) => status !== success && status !== 412)
  const flaws = odd.map(({ status, body }) => `status ${status}: ${body}`)
  const winners = winnersOf(outcome)
  if (winners.length !== 1) return [...flaws, `${winners.length} winners`]
  const { etag } = answers[winners[0]!]!
  if (etag === undefined || stored.etag !== etag) {
    flaws.push(`stored under ${stored.etag}, and the winner was told ${etag}`)
  }
  if (stored.status !== 200 || stored.body !== bodies[winners[0]!]) {
    flaws.push(`stored: ${stored.status} ${stored.body}, and the winner wrote ${bodies[winners[0]!]}`)
  }
  for (const answer of answers) {
    if (answer.etag !== etag) flaws.push(`${answer.status} with the tag ${answer.etag}, not ${etag}`)
  }
  return flaws
}

/** `If-Match: *`: every writer wins, under a tag of its own, and the last of them is stored. */
export function flawsOfLastOneWins ({ answers, bodies }: Outcome, stored: Answer): string[] {
  const flaws = answers.filter(({ status }) => status !== 200).map(({ status, body }) => `status ${status}: ${body}`)
  const tags = answers.map(({ etag }) => etag)
  if (new Set(tags).size !== tags.length || tags.includes(undefined)) flaws.push('two writes under one tag')
  const last = tags.indexOf(stored.etag)
  if (last === -1 || stored.body !== bodies[last]) {
    flaws.push(`stored under ${stored.etag}: ${stored.body}, which nobody wrote under it`)
  }
  return flaws
}

/**
 * The requests were all in flight before the first write. Held: each server found them all in its sockets at one
 * instant. Split, and with a late store in any mode: it had seen them all when the first write began.
 */
export function flawsOfFlight ({ reports }: Outcome, mode: Mode, isLate: boolean): string[] {
  return reports.flatMap(({ requests, seenInFirstTurn, seenBeforeFirstWrite = requests }) => {
    const flaws: string[] = []
    if (mode !== 'plain' && seenInFirstTurn !== requests) {
      flaws.push(`only ${seenInFirstTurn} of ${requests} requests lay in the sockets together`)
    }
    if ((mode === 'split' || isLate) && seenBeforeFirstWrite !== requests) {
      flaws.push(`only ${seenBeforeFirstWrite} of ${requests} requests were seen before the first write`)
    }
    return flaws
  })
}
