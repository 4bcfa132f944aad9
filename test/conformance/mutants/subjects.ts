import type { ConformanceOptions, Subject } from '../../../lib/conformance/index.js'
import { engineSubject } from '../engine.js'
import { casesOf } from '../failing-cases.js'

/** What a caller of the suite may get wrong around a sound adapter. */
export interface SubjectMutant {
  /** What is wrong with it. */
  subject: string
  options: Omit<ConformanceOptions, 'test'>
  caughtBy: readonly string[]
}

export const subjectMutants: SubjectMutant[] = [
  {
    subject: 'that shares its store with others of the same time',
    options: { createAdapter: sharing() },
    caughtBy: ['factory: every subject has a store of its own']
  },
  {
    subject: 'that calls the same adapter another one',
    options: { createAdapter: withParts((subject) => ({ another: async () => subject.adapter })) },
    caughtBy: ['factory: another adapter is not the same one, and works on the same data']
  },
  {
    subject: 'with a list that the suite is told it has not',
    options: { createAdapter: async () => engineSubject(), list: false },
    caughtBy: ['factory: an adapter lists, or the suite is told "list: false"']
  },
  {
    subject: 'with another adapter that the suite is told it has not',
    options: { createAdapter: async () => engineSubject(), another: false },
    caughtBy: ['factory: there is another adapter, or the suite is told "another: false"']
  },
  {
    subject: 'with a way to cut the engine off that the suite is told it has not',
    options: { createAdapter: async () => engineSubject(), faults: false },
    caughtBy: ['factory: the engine can be cut off, or the suite is told "faults: false"']
  },
  {
    subject: 'without a way to cut the engine off',
    options: { createAdapter: withParts(() => ({ cut: undefined })) },
    caughtBy: [
      'factory: the engine can be cut off, or the suite is told "faults: false"',
      ...(await leftOutBy({ faults: false }))
    ]
  },
  {
    subject: 'without another adapter',
    options: { createAdapter: withParts(() => ({ another: undefined })) },
    caughtBy: [
      'factory: there is another adapter, or the suite is told "another: false"',
      ...(await leftOutBy({ another: false }))
    ]
  },
  {
    subject: 'that lists collections only, and does not say so',
    options: { createAdapter: collectionsOnly },
    caughtBy: [
      'list: the empty prefix lists everything',
      'list: a prefix may end anywhere, also where no key ends, and lists what is below too',
      'list: a prefix that ends in the highest character has an end as well'
    ]
  }
]

/** Sound subjects that cannot do everything, and the suite is told so. */
export const lesserSubjects: Array<Omit<SubjectMutant, 'caughtBy'>> = [
  {
    subject: 'without list, another adapter and a way to cut the engine off',
    options: {
      createAdapter: async () => ({ adapter: engineSubject(() => ({ wrap: ({ list, ...rest }) => rest })).adapter }),
      list: false,
      another: false,
      faults: false
    }
  },
  { subject: 'that lists collections only', options: { createAdapter: collectionsOnly, list: 'collections' } }
]

async function collectionsOnly (): Promise<Subject> {
  return engineSubject(() => ({ isListed: (key, prefix) => key.slice(0, key.lastIndexOf('/') + 1) === prefix }))
}

// The cases that the suite has no more once it is told that a subject cannot do something.
async function leftOutBy (options: Partial<ConformanceOptions>): Promise<string[]> {
  const createAdapter = async () => engineSubject()
  const left = await casesOf({ createAdapter, ...options })
  return [...(await casesOf({ createAdapter })).keys()].filter((title) => !left.has(title))
}

function withParts (parts: (subject: Subject) => Partial<Subject>): () => Promise<Subject> {
  return async () => {
    const subject = engineSubject()
    return { ...subject, ...parts(subject) }
  }
}

// Whoever comes while another subject is open gets the same store.
function sharing (): () => Promise<Subject> {
  let open = 0
  let subject: Subject | undefined
  return async () => {
    open++
    subject = open > 1 && subject !== undefined ? subject : engineSubject()
    return { ...subject, close: async () => { open-- } }
  }
}
