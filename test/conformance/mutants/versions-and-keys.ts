import { createHash } from 'node:crypto'
import { newVersion } from '../../../lib/storage/kit/version.js'
import { concurrency, contention, onOneAndTwo, unlessCases, refusalsTogether, type Mutant } from '../mutant.js'

// A column of SQL without a value. The contract has undefined there.
const sqlNull = null as unknown as undefined

/** Adapters that are wrong about versions, about what is stored beside them, or about keys. */
export const versionAndKeyMutants: Mutant[] = [
  {
    adapter: 'counts versions from 1 for each entity',
    flaw: () => ({ version: (current) => String(Number(current?.version ?? 0) + 1) }),
    caughtBy: [
      'replace: a version of an entity that was removed and created again is refused',
      'version: never comes back after the entity was removed and created again',
      'two adapters: never issue the same version'
    ]
  },
  {
    adapter: 'takes versions from a clock, which ticks once for several writes',
    flaw: () => {
      let writes = 0
      return { version: () => String(1_700_000_000_000 + Math.floor(writes++ / 4)) }
    },
    caughtBy: [
      'replace: a version that was replaced is refused',
      'replace: a version of an entity that was removed and created again is refused',
      'remove: a version that was replaced or never issued is refused, and the entity stays',
      'version: every applied write issues a new one, whatever it expected (RFC 9110 8.8.1)',
      'version: writing the same content or earlier content again issues a new one',
      'version: never comes back after the entity was removed and created again',
      ...onOneAndTwo(contention.writers, contention.writersAndRemovers, contention.existsChain, contention.anyChain),
      ...onOneAndTwo(concurrency.counter, concurrency.reads, concurrency.newerVersion),
      unlessCases.others,
      unlessCases.before,
      'two adapters: one accepts the versions of the other',
      'two adapters: never issue the same version'
    ]
  },
  {
    adapter: 'takes a hash of the content for a version',
    flaw: () => ({
      version: (current, value) => createHash('sha256').update(JSON.stringify(value)).digest('base64url')
    }),
    caughtBy: [
      'replace: a version of an entity that was removed and created again is refused',
      'version: every applied write issues a new one, whatever it expected (RFC 9110 8.8.1)',
      'version: writing the same content or earlier content again issues a new one',
      'version: never comes back after the entity was removed and created again',
      'two adapters: never issue the same version'
    ]
  },
  {
    adapter: 'keeps the version in a write without a condition',
    flaw: () => ({
      version: (current, value, expectation) =>
        (expectation.kind === 'any' ? current?.version : undefined) ?? newVersion()
    }),
    caughtBy: [
      'version: every applied write issues a new one, whatever it expected (RFC 9110 8.8.1)',
      'version: writing the same content or earlier content again issues a new one',
      unlessCases.before,
      ...onOneAndTwo(contention.anyChain, concurrency.reads, concurrency.newerVersion)
    ]
  },
  {
    adapter: 'has one version for all entities',
    flaw: () => ({
      writeRow (rows, key, row) {
        rows.set(key, row)
        for (const other of rows.values()) other.version = row.version
      }
    }),
    caughtBy: [
      refusalsTogether,
      'read: changing one key leaves the others unchanged',
      unlessCases.together,
      ...onOneAndTwo(concurrency.differentKeys)
    ]
  },
  {
    adapter: 'puts quotes around versions',
    flaw: () => ({ version: () => `"${newVersion()}"` }),
    caughtBy: ['version: is visible ASCII without double quote, backslash and semicolon (RFC 9110 8.8.3)']
  },
  {
    adapter: 'forgets the version that a write replaced',
    flaw: () => ({ provenance: (current, options) => ({ replaced: undefined, digest: options?.digest }) }),
    caughtBy: [
      'subject: the option "replaced" agrees with the adapter',
      'replaced: is the version that the write replaced',
      ...onOneAndTwo(contention.existsChain)
    ]
  },
  {
    adapter: 'gives null where nothing was replaced and no digest was passed',
    flaw: () => ({
      provenance: (current, options) => ({
        replaced: current?.version ?? sqlNull,
        digest: options?.digest ?? sqlNull
      })
    }),
    caughtBy: [
      'replaced: is undefined after a creation',
      'replaced: is undefined after a removed entity was created again, and so is digest',
      'digest: is dropped by a write without one',
      'digest: is undefined if none was passed'
    ]
  },
  {
    adapter: 'forgets digests',
    flaw: () => ({ provenance: (current) => ({ replaced: current?.version, digest: undefined }) }),
    caughtBy: [
      'subject: the option "digest" agrees with the adapter',
      'digest: is stored by every kind of write',
      'digest: of 255 characters comes back as it is'
    ]
  },
  {
    adapter: 'keeps 64 characters of a digest',
    flaw: () => ({
      provenance: (current, options) => ({ replaced: current?.version, digest: options?.digest?.slice(0, 64) })
    }),
    caughtBy: ['digest: of 255 characters comes back as it is']
  },
  {
    adapter: 'keeps the digest of an earlier write',
    flaw: () => ({
      provenance: (current, options) => ({ replaced: current?.version, digest: options?.digest ?? current?.digest })
    }),
    caughtBy: ['digest: is dropped by a write without one']
  },
  {
    adapter: 'accepts every key',
    flaw: () => ({ checkKey: () => {} }),
    caughtBy: [
      'key: an empty key is refused with INVALID_KEY by read, write and remove',
      'key: a key with NUL is refused with INVALID_KEY by read, write and remove',
      'key: a key that is not well-formed Unicode is refused with INVALID_KEY by read, write and remove',
      'key: a key of more than 1,024 bytes is refused with INVALID_KEY by read, write and remove',
      'key: a key that is not a string is refused with INVALID_KEY by read, write and remove',
      ...onOneAndTwo(concurrency.badNeighbours),
      'faults: during an outage bad keys get INVALID_KEY, and bad values INVALID_VALUE or NOT_JSON'
    ]
  },
  {
    adapter: 'ignores the case of keys',
    flaw: () => ({ rowKey: (key) => key.toLowerCase() }),
    caughtBy: [
      'key: keys that differ in case, spaces or special characters are distinct',
      'key: removing a key leaves all similar keys',
      'list: keys are ordered by their UTF-8 bytes',
      'list: collections whose names begin alike, or differ in case, are distinct'
    ]
  },
  {
    adapter: 'cuts long keys short',
    flaw: () => ({ rowKey: (key) => key.slice(0, 255) }),
    caughtBy: [
      'key: 1,024 bytes in characters of one byte are accepted, and the last character counts',
      'key: 1,024 bytes in characters of three bytes are accepted, and the last character counts',
      'key: 1,024 bytes in characters of four bytes are accepted, and the last character counts'
    ]
  }
]
