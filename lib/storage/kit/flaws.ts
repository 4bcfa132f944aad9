import { InvalidOptionsError } from '../../errors.js'
import { meantBy } from './spelling.js'

/** What can be wrong with the options, and the message that says so. */
export type Flaw = readonly [isFlawed: boolean, message: string]

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

/**
 * The row for options under a name that is none. It is the last one of a table: an object of another kind than options,
 * such as a client, is told by what it lacks.
 *
 * @param known an object that has every option under its name
 */
export function unknownOption (options: unknown, known: object): Flaw {
  const names = Object.keys(known)
  const unknown = Object.keys(Object(options)).find((name) => !names.includes(name))
  return [unknown !== undefined, unknown === undefined ? '' : unknownName(unknown, names)]
}

/** The message for an option under a name that is none. */
export function unknownName (name: string, names: readonly string[]): string {
  const meant = meantBy(name, names)
  const advice = meant === undefined
    ? `Use ${names.map((other) => `"${other}"`).join(', ')}.`
    : `Did you mean "${meant}"?`
  return `there is no option "${name}". ${advice}`
}

/** What kind of value this is, for messages. It quotes nothing: a value may be a secret, or stored content. */
export function kindOf (value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'object') {
    return typeof (value as { then?: unknown }).then === 'function' ? 'a promise' : 'an object'
  }
  if (typeof value !== 'function') return `a ${typeof value}`
  return /^class\b/.test(Function.prototype.toString.call(value)) ? 'a class' : 'a function'
}
