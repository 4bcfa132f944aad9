import { conformanceSuite, type ConformanceOptions } from '../../lib/conformance/index.js'

const MOST_TURNS = 2000

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
  let next: NodeJS.Immediate | undefined
  const tooLate = new Promise<never>((_resolve, reject) => {
    let passed = 0
    const count = (): void => {
      if (++passed > MOST_TURNS) reject(new Error('the case never ends'))
      else next = setImmediate(count)
    }
    count()
  })
  try {
    await Promise.race([running, tooLate])
  } finally {
    clearImmediate(next)
  }
}
