import { conformanceSuite, type ConformanceOptions } from '../../lib/conformance/index.js'

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

/** Runs the cases one after the other, and gives the titles of those that fail. */
export async function failingCases (options: Options): Promise<string[]> {
  const failing: string[] = []
  for (const [title, run] of await casesOf(options)) {
    try {
      await run()
    } catch {
      failing.push(title)
    }
  }
  return failing
}
