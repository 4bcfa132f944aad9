import t from 'tap'
import { goodputOf, triesOf } from '../../../bench/contention/theory.js'
import { exponentOf, slopeOf } from '../../../bench/growth/exponent.js'
import { scenarioOf } from '../../../bench/scenarios/index.js'

const near = (value: number, other: number, part: number): boolean => Math.abs(value - other) <= part * Math.abs(other)

await t.test('bench: the exponent of a power is the power, and noise that cancels out changes nothing', (t) => {
  const sizes = [100, 1_000, 10_000, 100_000]
  for (const power of [0, 0.5, 1, 2]) {
    t.ok(Math.abs(exponentOf(sizes.map((size) => [size, 3 * size ** power])) - power) < 1e-9, `${power}`)
  }
  const noise = [1.1, 1 / 1.1, 1 / 1.1, 1.1]
  t.ok(Math.abs(exponentOf(sizes.map((size, index) => [size, size * noise[index]!])) - 1) < 1e-9)
  t.equal(slopeOf([[0, 1], [1, 3], [2, 5]]), 2)
  t.end()
})

await t.test('bench: the goodput of one writer is one edit in a think time, and that of many grows as their root', (t) => {
  t.equal(goodputOf(1), 1)
  t.ok(near(goodputOf(2), 2 / 1.5, 1e-9))
  // The birthday of 365 days: 24.617 people until two share one, of whom the last is the second of the pair.
  t.ok(near(365 / goodputOf(365), 23.617, 1e-4), `${365 / goodputOf(365)}`)
  t.ok(near(goodputOf(100_000), Math.sqrt(2 * 100_000 / Math.PI), 0.01))
  t.equal(triesOf(0.5), 2)
  t.end()
})

await t.test('bench: the goodput is what a simulation of the writers counts', (t) => {
  for (const writers of [2, 7, 40]) {
    const fresh = new Array<boolean>(writers).fill(true)
    let successes = 0
    // A generator of our own, so that each run is the same one.
    let state = 1
    const anyWriter = (): number => (state = state * 48271 % 2147483647) % writers
    for (let end = 0; end < 200_000; end++) {
      const writer = anyWriter()
      if (fresh[writer]) {
        successes++
        fresh.fill(false)
      }
      fresh[writer] = true
    }
    t.ok(near(successes / 200_000 * writers, goodputOf(writers), 0.02), `${writers} writers`)
  }
  t.end()
})

await t.test('bench: a list of tags ends with the current one', (t) => {
  const { precondition, status } = scenarioOf('put-tags-3')
  t.same(precondition('"now"'), { 'if-match': '"0", "1", "now"' })
  t.equal(status, 200)
  t.throws(() => scenarioOf('put-tags'), { message: 'there is no scenario "put-tags".' })
  t.end()
})
