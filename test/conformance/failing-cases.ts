import { setImmediate as turn } from 'node:timers/promises'
import { conformanceSuite, type ConformanceOptions } from '../../lib/conformance/index.js'

const MOST_TURNS = 5000

type Options = Omit<ConformanceOptions, 'test'>

/** The cases that the suite registers with these options, by title. */
export async function casesOf (options: Options): Promise<ReadonlyMap<string, () => Promise<void>>> {
  const cases = new Map<string, () => Promise<void>>()
  await conformanceSuite({
    ...options,
    test (title, run) {
      if (cases.has(title)) throw new Error(`two cases have the title "${title}"`)
      cases.set(title, run)
    }
  })
  return cases
}

/** Runs the cases one after the other, and gives the titles of those that fail or never end. */
export async function failingCases (options: Options, isMeant = (_title: string) => true): Promise<string[]> {
  const failing: string[] = []
  for (const [title, run] of await casesOf(options)) {
    if (!isMeant(title)) continue
    try {
      await endsInTime(run())
    } catch {
      failing.push(title)
    }
  }
  return failing
}

// The adapters of these tests wait for nothing but turns of the event loop, so a number of them is a limit of time that
// no busy machine moves.
async function endsInTime (running: Promise<void>): Promise<void> {
  const race = { isOver: false }
  const tooLate = async () => {
    for (let passed = 0; passed < MOST_TURNS && !race.isOver; passed++) await turn()
    if (!race.isOver) throw new Error('the case never ends')
  }
  try {
    await Promise.race([running, tooLate()])
  } finally {
    race.isOver = true
  }
}
