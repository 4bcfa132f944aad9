import { InvalidOptionsError } from '../../errors.js'
import type { ReadOptions } from '../adapter.js'

/**
 * Refuses every context, for an adapter that takes part in no transaction of the app: what it wrote would stay when
 * that transaction is rolled back.
 *
 * @param adapter its name, such as `'sqliteAdapter'`
 * @throws FST_IF_MATCH_INVALID_OPTIONS for any context but undefined
 */
export function assertNoContext (adapter: string, options: ReadOptions | undefined): void {
  if (options?.context === undefined) return
  throw new InvalidOptionsError(
    'the entity',
    `it has a "context", and ${adapter} takes part in no transaction of the app, so nothing was read or written. ` +
      'Leave the context out, or use an adapter that takes one: postgresAdapter, mysqlAdapter or statementsAdapter.'
  )
}
