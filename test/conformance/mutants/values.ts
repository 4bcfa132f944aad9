import { isDeepStrictEqual } from 'node:util'
import { InvalidValueError } from '../../../lib/errors.js'
import { copyJson } from '../../../lib/storage/kit/json.js'
import { onOneAndTwo, type Mutant } from '../engine.js'

/** What is wrong with the values that come back. */
export const valueMutants: Mutant[] = [
  {
    adapter: 'accepts only what JSON gives back exactly',
    flaw: () => ({
      take (value) {
        const taken = copyJson(value)
        if (!isDeepStrictEqual(JSON.parse(JSON.stringify(taken)), value)) { throw new InvalidValueError('it is not what JSON gives back') }
        return taken
      }
    }),
    caughtBy: [
      'value: -0 comes back as 0 or as -0, as in JSON',
      'value: a property that is undefined is left out, as in JSON'
    ]
  },
  {
    adapter: 'stores what JSON makes of a value, whatever that is',
    flaw: () => ({ take: (value) => JSON.parse(JSON.stringify(value) ?? 'null') }),
    caughtBy: [
      'value: numbers that are not finite are refused with INVALID_VALUE, and nothing is changed',
      'value: undefined, functions, symbols and bigints are refused with INVALID_VALUE, and nothing is changed',
      'value: instances of classes are refused with INVALID_VALUE, and nothing is changed',
      'value: circular values are refused with INVALID_VALUE, and nothing is changed',
      'value: arrays with a hole or undefined are refused with INVALID_VALUE, and nothing is changed',
      'value: plain values around bad ones are refused with INVALID_VALUE, and nothing is changed',
      ...onOneAndTwo(
        'concurrency',
        'a bad write, a bad key or a refusal fails itself and none of those beside it (E28)'
      ),
      'faults: what is refused without the engine is refused without it too (E4)'
    ]
  },
  {
    adapter: 'sends text as UTF-8',
    flaw: () => ({
      take: (value) => JSON.parse(JSON.stringify(copyJson(value)).replaceAll(/\\ud[89a-f]../g, '\ufffd'))
    }),
    caughtBy: [
      'value: lone surrogates in text and names come back as they were',
      'value: a refusal gives back every value as a read does',
      ...onOneAndTwo(
        'concurrency',
        'a bad write, a bad key or a refusal fails itself and none of those beside it (E28)'
      )
    ]
  },
  {
    adapter: 'loses U+0000',
    flaw: () => ({ take: (value) => JSON.parse(JSON.stringify(copyJson(value)).replaceAll('\\u0000', '')) }),
    caughtBy: [
      'value: texts that engines take for their own come back as they were',
      'value: U+0000 and control characters in text and names come back as they were',
      'value: a refusal gives back every value as a read does',
      ...onOneAndTwo(
        'concurrency',
        'a bad write, a bad key or a refusal fails itself and none of those beside it (E28)'
      )
    ]
  },
  {
    adapter: 'copies objects by assignment',
    flaw: () => ({ take: (value) => assigned(copyJson(value)) }),
    caughtBy: [
      'value: objects with __proto__ as a name of their own come back as they were',
      'value: a refusal gives back every value as a read does'
    ]
  },
  {
    adapter: 'normalises text',
    flaw: () => ({
      take: (value) => mapped(copyJson(value), (member) => (typeof member === 'string' ? member.normalize() : member))
    }),
    caughtBy: [
      'key: odd characters, letter cases and spaces make distinct keys',
      'key: removing one leaves all that look like it',
      'value: texts of all planes come back as they were',
      'value: a refusal gives back every value as a read does'
    ]
  },
  {
    adapter: 'cuts text off at 64 KiB',
    flaw: () => ({
      take: (value) =>
        mapped(copyJson(value), (member) => (typeof member === 'string' ? member.slice(0, 65_536) : member))
    }),
    caughtBy: [
      'value: texts of 256 KiB come back as they were',
      'value: a refusal gives back every value as a read does'
    ]
  },
  {
    adapter: 'rounds numbers to six places',
    flaw: () => ({
      take: (value) =>
        mapped(copyJson(value), (member) => (typeof member === 'number' ? Math.round(member * 1e6) / 1e6 : member))
    }),
    caughtBy: ['value: numbers come back as they were', 'value: a refusal gives back every value as a read does']
  },
  {
    adapter: 'takes a value that is falsy for none',
    flaw: () => ({ take: (value) => copyJson(value) || null }),
    caughtBy: [
      'value: true, false and null come back as they were',
      'value: numbers come back as they were',
      'value: empty text, arrays and objects come back as they were',
      'value: a refusal gives back every value as a read does',
      'value: -0 comes back as 0 or as -0, as in JSON',
      'replace: a list applies wherever in it the current version is (R34)',
      ...onOneAndTwo('concurrency', 'writers of different keys do not hinder one another')
    ]
  },
  {
    adapter: 'leaves null out of arrays',
    flaw: () => ({
      take: (value) =>
        mapped(copyJson(value), (member) => (Array.isArray(member) ? member.filter((item) => item !== null) : member))
    }),
    caughtBy: ['value: mixed arrays come back as they were', 'value: a refusal gives back every value as a read does']
  },
  {
    adapter: 'leaves out members that every object has by nature',
    flaw: () => ({
      take: (value) =>
        JSON.parse(
          JSON.stringify(copyJson(value), (name, member) =>
            Object.hasOwn(Object.prototype, name) && name !== '__proto__' ? undefined : member
          )
        )
    }),
    caughtBy: [
      'value: names that are special in JavaScript come back as they were',
      'value: a refusal gives back every value as a read does'
    ]
  },
  {
    adapter: 'takes names with dots for paths',
    flaw: () => ({
      take: (value) =>
        JSON.parse(JSON.stringify(copyJson(value), (name, member) => (name.includes('.') ? undefined : member)))
    }),
    caughtBy: [
      'value: names with digits, spaces and none at all come back as they were',
      'value: a refusal gives back every value as a read does'
    ]
  },
  {
    adapter: 'goes 100 levels deep',
    flaw: () => ({
      take (value) {
        const taken = copyJson(value)
        if (depth(taken) > 100) throw new InvalidValueError('it is nested deeper than 100 levels')
        return taken
      }
    }),
    caughtBy: [
      'value: values of 500 levels come back as they were',
      'value: a refusal gives back every value as a read does'
    ]
  }
]

function assigned (value: unknown): unknown {
  if (Array.isArray(value)) return value.map(assigned)
  if (typeof value !== 'object' || value === null) return value
  const result: Record<string, unknown> = {}
  for (const [name, member] of Object.entries(value)) result[name] = assigned(member)
  return result
}

// As a reviver: JSON text knows no aliases, and keeps __proto__ a name like any other.
function mapped (value: unknown, change: (member: unknown) => unknown): unknown {
  return JSON.parse(JSON.stringify(value), (name, member) => change(member))
}

function depth (value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  return 1 + Math.max(0, ...Object.values(value).map(depth))
}
