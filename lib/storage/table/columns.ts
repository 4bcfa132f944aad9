import type { TObject, TSchema } from '@sinclair/typebox'
import { InvalidValueError } from '../../errors.js'
import { parseStored } from '../kit/stored-json.js'
import { FAULT, storageFault } from '../kit/whose-fault.js'
import { isSameDecimal } from './decimal.js'
import { kindOfSchema, type Kind } from './kind.js'

/** What a statement binds. */
export type SqlValue = string | number | bigint | boolean | null

/** A property of the value, and the column that keeps it. */
export interface Property extends Kind {
  name: string
  column: string
  /** Its name in rows. No column is called so, and neither are the columns of the version. */
  alias: string
  /** The database fills it, or it is in the key: it is read, and never written. */
  isReadOnly: boolean
  isOptional: boolean
  /** Which column of the id it is; undefined: none. */
  idIndex: number | undefined
}

/** The column of a property or of a parameter. An inherited `constructor` names none. */
export function columnNamed (names: Readonly<Record<string, string>>, name: string): string {
  return Object.hasOwn(names, name) ? names[name]! : name
}

/** A member of an object that is its own; undefined if there is none. */
export function ownMember (members: object, name: string): unknown {
  return Object.hasOwn(members, name) ? (members as Record<string, unknown>)[name] : undefined
}

/** The properties of a schema. `names` has the columns that are not called like their properties. */
export function propertiesOf (
  schema: TObject,
  names: Readonly<Record<string, string>>,
  ids: readonly string[]
): Property[] {
  const required: readonly string[] = schema.required ?? []
  return Object.entries(schema.properties).map(([name, property], index) => {
    const column = columnNamed(names, name)
    const idIndex = ids.indexOf(column)
    return {
      ...kindOfSchema(property),
      name,
      column,
      alias: `c${index}`,
      isReadOnly: idIndex >= 0 || (property as TSchema)['readOnly'] === true,
      isOptional: !required.includes(name),
      idIndex: idIndex >= 0 ? idIndex : undefined
    }
  })
}

/**
 * The columns of a value, by their aliases. What a column would change, drop or refuse is refused. Properties that are
 * only read may be there, as in a representation that was read and is sent back, and are left out.
 *
 * @throws FST_IF_MATCH_INVALID_VALUE
 */
export function columnsOf (value: unknown, properties: readonly Property[]): Record<string, SqlValue> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) refuse('it is no object')
  const members: object = value
  const unknown = Object.keys(members).find((name) => !properties.some((property) => property.name === name))
  if (unknown !== undefined) refuse(`it has a property ${shown(unknown)}, and there is no column for it`)
  const written = properties.filter(({ isReadOnly }) => !isReadOnly)
  return Object.fromEntries(written.map((property) => {
    return [property.alias, columnOf(ownMember(members, property.name), property)]
  }))
}

// The name may be a client's, and long.
function shown (name: string): string {
  const start = name.length > 64 ? `${name.slice(0, 64)}…` : name
  return JSON.stringify(start.toWellFormed())
}

function columnOf (member: unknown, property: Property): SqlValue {
  const { name, type, isNullable, isOptional } = property
  if (member === undefined) {
    if (isOptional) return null
    refuse(`its property "${name}" is missing`)
  }
  if (member === null && isNullable) return null
  if (type === 'json') return JSON.stringify(member)
  const flaw = flawOf(member, property)
  if (flaw !== undefined) refuse(`its property "${name}" ${flaw}`)
  return member as SqlValue
}

/** What is wrong with a member for a column of this kind. Any JSON will do for a column of JSON: do not ask. */
export function flawOf (member: unknown, { type, decimals, isUuid, values, longest }: Kind): string | undefined {
  switch (type) {
    case 'text':
      if (typeof member !== 'string') return 'is no text'
      // Engines differ in what they make of both: they cut the text off, change it, or refuse it.
      if (member.includes('\0') || !member.isWellFormed()) return 'has a NUL character or half a surrogate pair'
      if (isUuid && !UUID.test(member)) return 'is no UUID of 36 characters in lower case'
      if (values !== undefined && !values.includes(member)) return 'is none of the values that are allowed'
      return longest !== undefined && longest < Array.from(member).length ? `is longer than ${longest}` : undefined
    case 'integer':
      return Number.isSafeInteger(member) ? undefined : 'is no whole number of at most 15 digits'
    case 'number':
      if (!Number.isFinite(member)) return 'is no number'
      return decimals === undefined || Number((member as number).toFixed(decimals)) === member
        ? undefined
        : `has more than ${decimals} decimals`
    default:
      return typeof member === 'boolean' ? undefined : 'is neither true nor false'
  }
}

// The one spelling of each: a column of type `uuid` takes others for the same.
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/**
 * The value of a row.
 *
 * @param id the columns of the id, which are those of the key
 * @throws FST_IF_MATCH_STORAGE_FAULT if a column holds what its property cannot be
 */
export function valueOf (
  row: Readonly<Record<string, unknown>>,
  properties: readonly Property[],
  id: readonly SqlValue[]
): Record<string, unknown> {
  const members: Array<[string, unknown]> = []
  for (const property of properties) {
    const { name, alias, idIndex, isOptional } = property
    const column = idIndex === undefined ? row[alias] : id[idIndex]
    // Where an engine does not tell what it made, the property is left out.
    if (column === undefined || (column === null && isOptional)) continue
    const member = memberOf(column, property)
    if (member === undefined) {
      throw storageFault(FAULT.stored, new Error(
        `The column "${property.column}" holds what its property in the schema of the table cannot be, or more ` +
          'digits than a number of JavaScript has.'
      ))
    }
    members.push([name, member])
  }
  return Object.fromEntries(members)
}

// Undefined if the column holds something else. Drivers give numbers and booleans in several forms.
function memberOf (column: unknown, { type, isNullable, column: name }: Property): unknown {
  if (column === null) return isNullable ? null : undefined
  switch (type) {
    case 'text':
      return typeof column === 'string' ? column : undefined
    case 'integer': {
      const number = numberOf(column)
      return Number.isSafeInteger(number) ? number : undefined
    }
    case 'number':
      return numberOf(column)
    case 'boolean':
      return BOOLEANS.get(String(column))
    case 'json':
      if (typeof column !== 'string') return undefined
      return parseStored(column, `The column "${name}" of a table holds no JSON. Look for who else writes to it.`)
  }
}

const BOOLEANS = new Map([['true', true], ['1', true], ['false', false], ['0', false]])

function numberOf (column: unknown): number | undefined {
  const text = String(column)
  const number = Number(text)
  const isNumber = ['number', 'bigint', 'string'].includes(typeof column) && text.trim() !== ''
  return isNumber && Number.isFinite(number) && isSameDecimal(text, String(number)) ? number : undefined
}

function refuse (why: string): never {
  throw new InvalidValueError(why)
}
