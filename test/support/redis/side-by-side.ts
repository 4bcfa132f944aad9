import type { Test } from 'tap'

/** Runs cases at the same time: these wait more than they work. Each has servers, proxies or names of its own. */
export async function sideBySide (t: Test, cases: Record<string, (t: Test) => Promise<void>>): Promise<void> {
  const entries = Object.entries(cases)
  t.jobs = entries.length
  await Promise.all(entries.map(async ([title, run]) => await t.test(title, { buffered: true }, run)))
}
