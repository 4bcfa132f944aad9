import { ContentionError, StorageUnavailableError } from '../../errors.js'
import { FAULT, storageFault } from '../kit/whose-fault.js'
import { faultKind } from '../mysql/faults.js'
import { driverErrorOf } from '../statements/driver-error.js'
import { loggable } from '../statements/faults.js'

/** What a transaction of MySQL or MariaDB begins with, so that its end can tell whether it is still the same one. */
export const SAVEPOINT = 'SAVEPOINT if_match'

// "SAVEPOINT if_match does not exist".
const NO_SAVEPOINT = 1305

/**
 * Demands, ahead of COMMIT, that a transaction of MySQL or MariaDB is still the one in which `SAVEPOINT` was sent.
 *
 * @throws FST_IF_MATCH_CONTENTION if another node of a cluster aborted it while it did nothing
 * (engine-facts#galera-abort-at-next-statement), or FST_IF_MATCH_STORAGE_UNAVAILABLE if the server does not answer: no
 * COMMIT was sent, so nothing is stored; FST_IF_MATCH_STORAGE_FAULT if it had ended before
 */
export async function assertStillInside (send: (sql: string) => Promise<unknown>): Promise<void> {
  try {
    await send(`RELEASE ${SAVEPOINT}`)
  } catch (thrown) {
    const error = driverErrorOf(thrown)
    if (faultKind(error) === 'RETRY') throw new ContentionError(1, { cause: loggable(error) })
    const isGone = (Object(error) as { errno?: unknown }).errno === NO_SAVEPOINT
    if (!isGone) throw new StorageUnavailableError({ cause: loggable(error) })
    throw storageFault(FAULT.ended, new Error('MySQL: the transaction had ended before its COMMIT.'))
  }
}
