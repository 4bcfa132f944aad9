import { kindOf } from './flaws.js'

const PASS_ONE = 'Pass one, such as memoryAdapter(), as the option "storage".'

/** What is wrong with the shape of a value that is passed as a storage adapter, as the end of a sentence. */
export function flawOfAdapter (storage: unknown): string | undefined {
  const kind = kindOf(storage)
  if (kind === 'a promise') return 'is a promise. Await it before you pass it as the option "storage".'
  if (kind === 'a class') return 'is a class. Pass an instance of it, which new makes, as the option "storage".'
  if (kind === 'a function') return 'is a function. Call it, and pass what it returns as the option "storage".'
  if (kind !== 'an object') return `is ${storage === undefined ? 'missing' : kind}. ${PASS_ONE}`
  const parts = storage as Record<string, unknown>
  const lacking = ['read', 'write', 'remove'].filter((name) => typeof parts[name] !== 'function')
  if (lacking.length > 0) return `lacks ${lacking.join(', ')}. ${PASS_ONE}`
  const optional = ['list', 'transaction', 'open', 'close']
  const wrong = optional.find((name) => !['function', 'undefined'].includes(typeof parts[name]))
  return wrong && `has "${wrong}", which is no function. Make it one, or leave it out.`
}
