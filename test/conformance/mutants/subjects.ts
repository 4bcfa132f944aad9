import type { ConformanceOptions, Subject } from '../../../lib/conformance/index.js'
import { engineSubject, type Parts } from '../engine.js'
import { casesOf } from '../failing-cases.js'
import { concurrency, contention, onOneAndTwo } from '../mutant.js'
import { provenance } from '../transaction-mutant.js'
import { transactionSubject } from '../transactions.js'

/** A sound adapter whose subject, or the options of the suite, are wrong. */
export interface SubjectMutant {
  /** What is wrong, after "a subject". */
  subject: string
  options: Omit<ConformanceOptions, 'test'>
  /** The titles of all cases of the suite that fail for it. */
  caughtBy: readonly string[]
}

const listOption = 'subject: the option "list" agrees with the adapter'
const anotherOption = 'subject: the option "another" agrees with the subject'
const faultsOption = 'subject: the option "faults" agrees with the subject'
const reusedKeysOption =
  'subject: the option "reusedKeys: false" is needed: a version comes back in the second life of a key'

// A counter in the row, which begins again with each life of the entity.
const counted: Partial<Parts> = { version: (current) => String(Number(current?.version ?? 0) + 1) }
const transactionsOption = 'subject: the option "transactions" agrees with the adapter'

export const subjectMutants: SubjectMutant[] = [
  {
    subject: 'that shares its store with all subjects of the same time',
    options: { createAdapter: sharing() },
    caughtBy: ['subject: every call of createAdapter gives an empty store of its own']
  },
  {
    subject: 'whose another() gives the same adapter',
    options: { createAdapter: replacing((subject) => ({ another: async () => subject.adapter })) },
    caughtBy: ['subject: another() gives a second adapter on the same data']
  },
  {
    subject: 'with list, and the option "list: false"',
    options: { createAdapter: soundSubject, list: false },
    caughtBy: [listOption]
  },
  {
    subject: 'with another(), and the option "another: false"',
    options: { createAdapter: soundSubject, another: false },
    caughtBy: [anotherOption]
  },
  {
    subject: 'with cut(), and the option "faults: false"',
    options: { createAdapter: soundSubject, faults: false },
    caughtBy: [faultsOption]
  },
  {
    subject: 'whose adapter keeps replaced, and the option "replaced: false"',
    options: { createAdapter: soundSubject, replaced: false },
    caughtBy: ['subject: the option "replaced" agrees with the adapter']
  },
  {
    subject: 'whose adapter keeps digests, and the option "digest: false"',
    options: { createAdapter: soundSubject, digest: false },
    caughtBy: ['subject: the option "digest" agrees with the adapter']
  },
  {
    subject: 'whose versions never come back, and the option "reusedKeys: false"',
    options: { createAdapter: soundSubject, reusedKeys: false },
    caughtBy: [reusedKeysOption]
  },
  {
    subject: 'whose counter turns over after 8 writes, with the option "reusedKeys: false"',
    options: {
      createAdapter: withParts({ version: (current) => String((Number(current?.version ?? 0) + 1) % 8) }),
      reusedKeys: false
    },
    caughtBy: [
      'version: every applied write issues a new one, whatever it expected (RFC 9110 8.8.1)',
      'version: never comes back while the entity lives',
      ...onOneAndTwo(contention.existsChain, contention.anyChain, concurrency.reads, concurrency.newerVersion),
      'two adapters: never issue the same version while the entity lives'
    ]
  },
  {
    subject: 'without cut(), and without the option "faults: false"',
    options: { createAdapter: replacing(() => ({ cut: undefined })) },
    caughtBy: [faultsOption, ...(await leftOutBy({ faults: false }))]
  },
  {
    subject: 'without another(), and without the option "another: false"',
    options: { createAdapter: replacing(() => ({ another: undefined })) },
    caughtBy: [anotherOption, ...(await leftOutBy({ another: false }))]
  },
  {
    subject: 'with transaction, and without the option "transactions: true"',
    options: { createAdapter: async () => transactionSubject('locks') },
    caughtBy: [transactionsOption]
  },
  {
    subject: 'without transaction, and with the option "transactions: true"',
    options: { createAdapter: soundSubject, transactions: true },
    caughtBy: [transactionsOption, ...(await leftOutBy({ transactions: false }, { transactions: true }))]
  },
  {
    subject: 'whose transactions keep replaced and digests, and the options "replaced: false" and "digest: false"',
    options: {
      createAdapter: async () => transactionSubject('locks'), transactions: true, replaced: false, digest: false
    },
    caughtBy: [
      'subject: the option "replaced" agrees with the adapter', 'subject: the option "digest" agrees with the adapter',
      provenance.claims
    ]
  },
  {
    subject: 'that lists collections only, without the option "list: \'collections\'"',
    options: { createAdapter: collectionsOnly },
    caughtBy: [
      'list: the empty prefix lists everything',
      'list: a prefix may end inside a key, and lists nested collections too',
      'list: a prefix that ends in U+10FFFF, the last character, lists all keys that begin with it'
    ]
  }
]

/** Sound subjects with less than the suite can test, and options that say so. */
export const lesserSubjects: Array<Omit<SubjectMutant, 'caughtBy'>> = [
  {
    subject: 'without list, another() and cut()',
    options: {
      createAdapter: async () => ({ adapter: engineSubject(() => ({ wrap: ({ list, ...rest }) => rest })).adapter }),
      list: false,
      another: false,
      faults: false
    }
  },
  { subject: 'that lists collections only', options: { createAdapter: collectionsOnly, list: 'collections' } },
  {
    subject: 'that counts versions in the row, where no key is used again',
    options: { createAdapter: withParts(counted), reusedKeys: false }
  },
  {
    subject: 'without replaced',
    options: {
      createAdapter: withParts({ provenance: (_, options) => ({ replaced: undefined, digest: options?.digest }) }),
      replaced: false
    }
  },
  {
    subject: 'without digest',
    options: {
      createAdapter: withParts({ provenance: (current) => ({ replaced: current?.version, digest: undefined }) }),
      digest: false
    }
  },
  {
    subject: 'with nothing but a counter',
    options: {
      createAdapter: withParts({ ...counted, provenance: () => ({}) }),
      replaced: false,
      digest: false,
      reusedKeys: false
    }
  }
]

async function soundSubject (): Promise<Subject> {
  return engineSubject()
}

function withParts (parts: Partial<Parts>): () => Promise<Subject> {
  return async () => engineSubject(() => parts)
}

async function collectionsOnly (): Promise<Subject> {
  return engineSubject(() => ({ isListed: (key, prefix) => key.slice(0, key.lastIndexOf('/') + 1) === prefix }))
}

// The titles of the cases that the suite leaves out with these options.
async function leftOutBy (
  options: Partial<ConformanceOptions>,
  others: Partial<ConformanceOptions> = {}
): Promise<string[]> {
  const kept = await casesOf({ createAdapter: soundSubject, ...options })
  return [...(await casesOf({ createAdapter: soundSubject, ...others })).keys()].filter((title) => !kept.has(title))
}

function replacing (members: (subject: Subject) => Partial<Subject>): () => Promise<Subject> {
  return async () => {
    const subject = engineSubject()
    return { ...subject, ...members(subject) }
  }
}

// A subject that is made while another one is open gets the store of that one.
function sharing (): () => Promise<Subject> {
  let open = 0
  let subject: Subject | undefined
  return async () => {
    open++
    subject = open > 1 && subject !== undefined ? subject : engineSubject()
    return { ...subject, close: async () => { open-- } }
  }
}
