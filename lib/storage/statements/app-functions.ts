import { InvalidAdapterError, isIfMatchError } from '../../errors.js'
import { FAULT, isOfApp, mistakeIn, passOn, storageFault, toldOfConstraint } from '../kit/whose-fault.js'
import { constraintFault, isConstraint, mistakeFault } from './faults.js'

/**
 * What a function of the mapping makes. It sends nothing, so what it throws says that nothing was applied, and goes out
 * as it is, unless it is a bug.
 */
export function mapped<R> (name: 'toId' | 'toColumns' | 'toValue', map: () => R): R {
  const failed = `${name}() of the mapping failed, and nothing was changed`
  let made: R
  try {
    made = map()
  } catch (error) {
    if (isIfMatchError(error) || isOfApp(error)) throw error
    throw error instanceof Object && mistakeIn(error) === undefined ? passOn(error) : storageFault(failed, error)
  }
  // The columns of a promise, or of nothing, are none: the row would be stored without its content.
  const isWrong = name !== 'toValue' && (made === undefined || made === null || isPromise(made))
  if (!isWrong) return made
  throw storageFault(failed, new InvalidAdapterError(`got nothing from ${name}(), or a promise. Return what it makes.`))
}

/**
 * What `faultOf` of the app says of an error, marked as one to let out. What it throws counts as what it gives. The
 * error of the driver itself says nothing more. A constraint that `faultOf` does not know is FST_IF_MATCH_CONSTRAINT,
 * and a mistake FST_IF_MATCH_STORAGE_FAULT.
 */
export function guardedFaultOf (faultOf: ((error: unknown) => unknown) | undefined) {
  return async (error: unknown): Promise<Error | undefined> => {
    let fault: unknown
    try {
      fault = await faultOf?.(error)
    } catch (thrown) {
      const isBug = mistakeIn(thrown) !== undefined && !isOfApp(thrown) && thrown !== error
      fault = isBug ? storageFault(FAULT.write, thrown) : thrown
    }
    if (fault === undefined || fault === null || fault === error) {
      return constraintFault(error) ?? mistakeFault(error, FAULT.write)
    }
    return letOut(fault as Error, error)
  }
}

/**
 * Marks what `faultOf` of the app gave for an error of the driver as one to let out. The row that took a unique value
 * may be the entity itself, which another writer created, so the adapter looks again.
 */
export function letOut (fault: Error, error: unknown): Error {
  return passOn(isConstraint(error) ? toldOfConstraint(fault) : fault)
}

function isPromise (made: unknown): boolean {
  return typeof (made as { then?: unknown }).then === 'function'
}
