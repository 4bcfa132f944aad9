import { assertNoContext } from '../../../lib/storage/kit/context.js'
import { replacing, type Mutant } from '../mutant.js'

const refused = 'context: one that the adapter cannot use is refused with INVALID_OPTIONS, and nothing is done'
const listingRefused = 'context: a listing in one that the adapter cannot use is refused with INVALID_OPTIONS'

/** Adapters that are wrong about transactions of the app. */
export const contextMutants: Mutant[] = [
  {
    adapter: 'ignores the context, and so writes outside of the transaction',
    flaw: () => ({ checkContext: () => {} }),
    caughtBy: [refused, listingRefused]
  },
  {
    adapter: 'takes null for no context',
    flaw: () => ({
      checkContext: (options) => assertNoContext('engineAdapter', { context: options?.context ?? undefined })
    }),
    caughtBy: [refused, listingRefused]
  },
  {
    adapter: 'lists whatever the context is',
    flaw: replacing((adapter) => ({
      list: (prefix, options) => adapter.list!(prefix, { ...options, context: undefined })
    })),
    caughtBy: [listingRefused]
  },
  {
    adapter: 'refuses a context after it wrote',
    flaw: replacing((adapter) => ({
      async write (key, value, expectation, options) {
        const result = await adapter.write(key, value, expectation, { ...options, context: undefined })
        assertNoContext('engineAdapter', options)
        return result
      }
    })),
    caughtBy: [refused]
  }
]
