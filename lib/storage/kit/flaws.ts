import { InvalidOptionsError } from '../../errors.js'

/** What can be wrong with the options, and the message that says so. */
type Flaw = readonly [isFlawed: boolean, message: string]

/**
 * Refuses options by a table of flaws, one row for each thing that can be wrong with them.
 *
 * @param where names what the options are for, such as `'sqliteAdapter'`
 * @param flaws a message names its option and quotes no value: a value may be a secret
 * @throws FST_IF_MATCH_INVALID_OPTIONS with the message of the first flaw
 */
export function assertNoFlaw (where: string, flaws: readonly Flaw[]): void {
  const flaw = flaws.find(([isFlawed]) => isFlawed)
  if (flaw !== undefined) throw new InvalidOptionsError(where, flaw[1])
}
