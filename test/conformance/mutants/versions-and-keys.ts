import { createHash } from 'node:crypto'
import { newVersion } from '../../../lib/storage/kit/version.js'
import { onOneAndTwo, type Mutant } from '../engine.js'

// What a column of SQL has, and the contract has not.
const none = null as unknown as undefined

/** What is wrong with versions, what is kept beside them, and keys. */
export const versionAndKeyMutants: Mutant[] = [
  {
    adapter: 'counts versions from 1 for each entity',
    flaw: () => ({ version: (current) => String(Number(current?.version ?? 0) + 1) }),
    caughtBy: [
      'replace: a version that was never issued is refused (R5)',
      'replace: a version of the entity that was removed and created anew is refused (R14)',
      'version: never comes back after the entity was removed and created anew (R14)',
      'acknowledged: versions of two adapters are never the same'
    ]
  },
  {
    adapter: 'takes versions from a clock, which ticks once for several writes',
    flaw: () => {
      let writes = 0
      return { version: () => String(1_700_000_000_000 + Math.floor(writes++ / 4)) }
    },
    caughtBy: [
      'replace: a version that was replaced since is refused (R5)',
      'replace: a version of the entity that was removed and created anew is refused (R14)',
      'remove: a version that was replaced or never issued is refused, and the entity stays (R5)',
      'version: every applied write gives a new one, whatever it expected (R6)',
      'version: the same content, or content of earlier, gives a new one too (R16)',
      'version: never comes back after the entity was removed and created anew (R14)',
      ...onOneAndTwo(
        'contention',
        "of writers with one version exactly one is applied, and the others are told the winner's (R57)"
      ),
      ...onOneAndTwo('contention', 'of writers and removers with one version exactly one is applied (E54)'),
      ...onOneAndTwo('contention', 'writers that expect "exists" are all applied, each on top of another one'),
      ...onOneAndTwo('contention', 'writers that expect nothing are all applied, and one of them creates'),
      ...onOneAndTwo('concurrency', 'a counter that is raised by compare-and-swap loops ends exact'),
      ...onOneAndTwo('concurrency', 'readers beside writers see value and version of one write (R3, R60)'),
      'acknowledged: a version from one adapter is good for a write through another',
      'acknowledged: versions of two adapters are never the same'
    ]
  },
  {
    adapter: 'takes a hash of the content for a version',
    flaw: () => ({
      version: (current, value) => createHash('sha256').update(JSON.stringify(value)).digest('base64url')
    }),
    caughtBy: [
      'replace: a version of the entity that was removed and created anew is refused (R14)',
      'version: every applied write gives a new one, whatever it expected (R6)',
      'version: the same content, or content of earlier, gives a new one too (R16)',
      'version: never comes back after the entity was removed and created anew (R14)',
      'acknowledged: versions of two adapters are never the same'
    ]
  },
  {
    adapter: 'keeps the version in a write without a condition',
    flaw: () => ({
      version: (current, value, expectation) =>
        (expectation.kind === 'any' ? current?.version : undefined) ?? newVersion()
    }),
    caughtBy: [
      'version: every applied write gives a new one, whatever it expected (R6)',
      'version: the same content, or content of earlier, gives a new one too (R16)',
      ...onOneAndTwo('contention', 'writers that expect nothing are all applied, and one of them creates'),
      ...onOneAndTwo('concurrency', 'readers beside writers see value and version of one write (R3, R60)')
    ]
  },
  {
    adapter: 'has one version for all that it stores',
    flaw: () => ({
      put (rows, key, row) {
        rows.set(key, row)
        for (const other of rows.values()) other.version = row.version
      }
    }),
    caughtBy: [
      'read: a change of one key does not show under another',
      ...onOneAndTwo('concurrency', 'writers of different keys do not hinder one another')
    ]
  },
  {
    adapter: 'puts quotes around versions',
    flaw: () => ({ version: () => `"${newVersion()}"` }),
    caughtBy: ['version: is visible ASCII without the double quote, the backslash and the semicolon (R8, R11)']
  },
  {
    adapter: 'forgets what a write replaced',
    flaw: () => ({ remembered: (current, options) => ({ replaced: undefined, digest: options?.digest }) }),
    caughtBy: [
      'replaced: names the version that the write took the place of',
      ...onOneAndTwo('contention', 'writers that expect "exists" are all applied, each on top of another one')
    ]
  },
  {
    adapter: 'says null where nothing was replaced and no digest passed',
    flaw: () => ({
      remembered: (current, options) => ({ replaced: current?.version ?? none, digest: options?.digest ?? none })
    }),
    caughtBy: [
      'replaced: an entity that was created replaced nothing',
      'replaced: an entity that was created anew did not replace the removed one',
      'digest: an earlier one is dropped by a write without one',
      'digest: none is made up where none was passed'
    ]
  },
  {
    adapter: 'forgets digests',
    flaw: () => ({ remembered: (current) => ({ replaced: current?.version, digest: undefined }) }),
    caughtBy: ['digest: is kept beside the version by every kind of write']
  },
  {
    adapter: 'keeps the digest of an earlier write',
    flaw: () => ({
      remembered: (current, options) => ({ replaced: current?.version, digest: options?.digest ?? current?.digest })
    }),
    caughtBy: ['digest: an earlier one is dropped by a write without one']
  },
  {
    adapter: 'accepts every key',
    flaw: () => ({ checkKey: () => {} }),
    caughtBy: [
      'key: the empty one is refused by read, write and remove with INVALID_KEY (E4)',
      'key: one with a NUL is refused by read, write and remove with INVALID_KEY (E4)',
      'key: one that is not well-formed Unicode is refused by read, write and remove with INVALID_KEY (E4)',
      'key: one of more than 1,024 bytes is refused by read, write and remove with INVALID_KEY (E4)',
      'key: what is not text is refused by read, write and remove with INVALID_KEY (E4)',
      ...onOneAndTwo(
        'concurrency',
        'a bad write, a bad key or a refusal fails itself and none of those beside it (E28)'
      ),
      'faults: what is refused without the engine is refused without it too (E4)'
    ]
  },
  {
    adapter: 'ignores the case of keys',
    flaw: () => ({ address: (key) => key.toLowerCase() }),
    caughtBy: [
      'key: odd characters, letter cases and spaces make distinct keys',
      'key: removing one leaves all that look like it',
      'list: keys come in the order of their UTF-8 bytes (E5)',
      'list: a collection has no entity of another one whose name begins alike, or differs in case'
    ]
  },
  {
    adapter: 'cuts long keys short',
    flaw: () => ({ address: (key) => key.slice(0, 255) }),
    caughtBy: [
      'key: 1,024 bytes of characters of one byte each fit, and the last one counts',
      'key: 1,024 bytes of characters of three bytes each fit, and the last one counts',
      'key: 1,024 bytes of characters of four bytes each fit, and the last one counts'
    ]
  }
]
