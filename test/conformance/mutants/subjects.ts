import type { ConformanceOptions, Subject } from '../../../lib/conformance/index.js'
import { engineSubject } from '../engine.js'
import { casesOf } from '../failing-cases.js'
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
  { subject: 'that lists collections only', options: { createAdapter: collectionsOnly, list: 'collections' } }
]

async function soundSubject (): Promise<Subject> {
  return engineSubject()
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
