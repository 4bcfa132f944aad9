import { inspect } from 'node:util'
import type { Test } from 'tap'
import type { Stored } from '../../lib/storage/adapter.js'

/** An entity whose value somebody damaged fails where the value is asked for, and no error quotes what is stored. */
export function assertDamaged (t: Test, stored: Stored | undefined, complaint: RegExp): void {
  try {
    t.fail(`has the value ${JSON.stringify(stored?.value)}`)
  } catch (error) {
    t.match(error, { code: 'FST_IF_MATCH_STORAGE_FAULT', cause: { message: complaint } })
    t.notMatch(inspect(error, { depth: 9 }), /secret/)
  }
}
