import { conformanceSuite, type ConformanceOptions } from '../../lib/conformance/index.js'

/** Runs the suite without a test runner, one case after the other, and gives the titles of those that fail. */
export async function failingCases (options: Omit<ConformanceOptions, 'test'>): Promise<string[]> {
  const cases: Array<[string, () => Promise<void>]> = []
  await conformanceSuite({ ...options, test: (title, run) => cases.push([title, run]) })
  const failing: string[] = []
  for (const [title, run] of cases) {
    try {
      await run()
    } catch (failure) {
      if (process.env.SHOW) console.log(title, failure)
      failing.push(title)
    }
  }
  return failing
}
