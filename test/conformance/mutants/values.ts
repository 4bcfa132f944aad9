import { isDeepStrictEqual } from 'node:util'
import { InvalidValueError, NotJsonError } from '../../../lib/errors.js'
import { copyJson } from '../../../lib/storage/kit/json.js'
import { concurrency, onOneAndTwo, type Flaw, type Mutant } from '../mutant.js'

const asWritten = 'value: a refusal gives every value as it was written'

const refusalsAsNotJson = [
  'value: NaN, undefined, functions, symbols and bigints are refused with NOT_JSON, and nothing changes',
  'value: instances of classes are refused with NOT_JSON, and nothing changes',
  'value: circular values are refused with NOT_JSON, and nothing changes',
  'value: arrays with a hole or undefined are refused with NOT_JSON, and nothing changes',
  'value: bad values inside good ones are refused with NOT_JSON, and nothing changes',
  ...onOneAndTwo(concurrency.badNeighbours),
  'faults: during an outage bad keys get INVALID_KEY, and bad values INVALID_VALUE or NOT_JSON'
]

/** Adapters that store another value than they were given. */
export const valueMutants: Mutant[] = [
  {
    adapter: 'stores what JSON.stringify makes of a value, without a check',
    flaw: () => ({ copyIn: (value) => JSON.parse(JSON.stringify(value) ?? 'null') }),
    caughtBy: [
      'value: infinite numbers are refused with INVALID_VALUE, and nothing changes',
      ...refusalsAsNotJson
    ]
  },
  {
    adapter: 'blames the client for every value that it refuses',
    flaw: refusing(() => new InvalidValueError('it is not JSON')),
    caughtBy: refusalsAsNotJson
  },
  {
    adapter: 'takes every value that it refuses for a mistake of the server',
    flaw: refusing(() => new NotJsonError('it is not JSON')),
    caughtBy: [
      'value: infinite numbers are refused with INVALID_VALUE, and nothing changes',
      ...onOneAndTwo(concurrency.badNeighbours),
      'faults: during an outage bad keys get INVALID_KEY, and bad values INVALID_VALUE or NOT_JSON'
    ]
  },
  {
    adapter: 'accepts only values that JSON gives back exactly',
    flaw: storing((copy, value) => {
      if (isDeepStrictEqual(JSON.parse(JSON.stringify(copy)), value)) return copy
      throw new InvalidValueError('it is not what JSON gives back')
    }),
    caughtBy: [
      'value: -0 is read as 0 or as -0',
      'value: a member that is undefined is left out, as by JSON.stringify'
    ]
  },
  {
    adapter: 'sends strings as UTF-8',
    flaw: storing((copy) => JSON.parse(JSON.stringify(copy).replaceAll(/\\ud[89a-f]../g, '\ufffd'))),
    caughtBy: [
      'value: lone surrogates in strings and member names are read as they were written',
      asWritten,
      ...onOneAndTwo(concurrency.badNeighbours)
    ]
  },
  {
    adapter: 'loses U+0000',
    flaw: storing((copy) => JSON.parse(JSON.stringify(copy).replaceAll('\\u0000', ''))),
    caughtBy: [
      'value: strings that look like JSON, queries or escapes are read as they were written',
      'value: U+0000 and control characters in strings and member names are read as they were written',
      asWritten,
      ...onOneAndTwo(concurrency.badNeighbours)
    ]
  },
  {
    adapter: 'copies objects by assignment',
    flaw: storing(assigned),
    caughtBy: ['value: objects with a member __proto__ are read as they were written', asWritten]
  },
  {
    adapter: 'normalises strings',
    flaw: mapping((member) => typeof member === 'string' ? member.normalize() : member),
    caughtBy: [
      'key: keys that differ in case, spaces or special characters are distinct',
      'key: removing a key leaves all similar keys',
      'value: strings of all Unicode planes are read as they were written',
      asWritten
    ]
  },
  {
    adapter: 'cuts strings off at 64 KiB',
    flaw: mapping((member) => typeof member === 'string' ? member.slice(0, 65_536) : member),
    caughtBy: ['value: strings of 256 KiB are read as they were written', asWritten]
  },
  {
    adapter: 'rounds numbers to six places',
    flaw: mapping((member) => typeof member === 'number' ? Math.round(member * 1e6) / 1e6 : member),
    caughtBy: ['value: numbers are read as they were written', asWritten]
  },
  {
    adapter: 'stores a falsy value as null',
    flaw: storing((copy) => copy || null),
    caughtBy: [
      'value: true, false and null are read as they were written',
      'value: numbers are read as they were written',
      'value: empty strings, arrays and objects are read as they were written',
      asWritten,
      'value: -0 is read as 0 or as -0',
      'replace: a list is applied if the current version is anywhere in it',
      ...onOneAndTwo(concurrency.differentKeys)
    ]
  },
  {
    adapter: 'leaves null out of arrays',
    flaw: mapping((member) => Array.isArray(member) ? member.filter((item) => item !== null) : member),
    caughtBy: ['value: mixed arrays are read as they were written', asWritten]
  },
  {
    adapter: 'leaves out members with names that every object inherits',
    flaw: mapping((member, name) => name in Object.prototype && name !== '__proto__' ? undefined : member),
    caughtBy: ['value: members named constructor, then, toJSON and the like are read as they were written', asWritten]
  },
  {
    adapter: 'leaves out members with a dot in their names',
    flaw: mapping((member, name) => name.includes('.') ? undefined : member),
    caughtBy: [
      'value: empty member names, and those of digits, spaces or dots are read as they were written',
      asWritten
    ]
  },
  {
    adapter: 'stores 100 levels at most',
    flaw: storing((copy) => {
      if (depth(copy) > 100) throw new InvalidValueError('it is nested deeper than 100 levels')
      return copy
    }),
    caughtBy: ['value: values of 500 levels are read as they were written', asWritten]
  }
]

// Checks and copies a value as it should, and then stores what `change` makes of the copy.
function storing (change: (copy: unknown, value: unknown) => unknown): Flaw {
  return () => ({ copyIn: (value) => change(copyJson(value), value) })
}

// The same for each member. It goes through JSON, whose reviver sees __proto__ as a name like any other.
function mapping (change: (member: unknown, name: string) => unknown): Flaw {
  return storing((copy) => JSON.parse(JSON.stringify(copy), (name, member) => change(member, name)))
}

// Refuses the values that it should, with an error of its own.
function refusing (error: () => Error): Flaw {
  return () => ({
    copyIn (value) {
      try {
        return copyJson(value)
      } catch {
        throw error()
      }
    }
  })
}

function assigned (value: unknown): unknown {
  if (Array.isArray(value)) return value.map(assigned)
  if (typeof value !== 'object' || value === null) return value
  const result: Record<string, unknown> = {}
  for (const [name, member] of Object.entries(value)) result[name] = assigned(member)
  return result
}

function depth (value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  return 1 + Math.max(0, ...Object.values(value).map(depth))
}
