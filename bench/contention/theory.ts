/**
 * How many edits succeed in a think time, where this many writers do nothing but read, think and write under the tag
 * that they read. Think times are exponential, and requests take no time.
 *
 * Writers that read since the last success are fresh. After a success one writer is fresh, the winner. Whoever ends its
 * think time next is any of the writers alike: a fresh one succeeds, another one reads again, and is fresh. So the next
 * success takes as many ends of think times as it takes people until two share a birthday, in a year of n days:
 * 1 + (1 - 1/n) + (1 - 1/n)(1 - 2/n) + …, about √(πn/2). In a think time n of them end, so about √(2n/π) edits succeed.
 */
export function goodputOf (writers: number): number {
  let tries = 0
  let probability = 1
  for (let fresh = 1; fresh <= writers; fresh++) {
    tries += probability
    probability *= 1 - fresh / writers
  }
  return writers / tries
}

/**
 * How often an edit is tried where edits arrive at random, this many in a think time. Only a client that began after
 * the last success can be the next to succeed, so a think time has one success at most, as a queue with one server.
 */
export function triesOf (load: number): number {
  return 1 / (1 - load)
}
