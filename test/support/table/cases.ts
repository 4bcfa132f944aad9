import { appCases } from './app.js'
import { columnCases } from './columns.js'
import { raceCases } from './races.js'
import { statementCases } from './statements.js'
import type { OpenTable } from './table.js'

/** What holds for every adapter over the table of offers, and what the conformance suite cannot see. */
export async function tableCases (name: string, open: OpenTable): Promise<void> {
  await appCases(name, open)
  await columnCases(name, open)
  await raceCases(name, open)
  await statementCases(name, open)
}
