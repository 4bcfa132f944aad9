import t from 'tap'
import type { Expectation, StorageAdapter } from 'fastify-if-match'
import { sqliteError } from '../../support/sqlite/handles.js'
import type { Offer } from './offers-adapter.js'
import { create, offer, subject } from './subject.js'

const KEY = '/offers/wave'
const EXISTS = { kind: 'exists' } as const
const ABSENT = { kind: 'absent' } as const
const ANY = { kind: 'any' } as const

const theirs: Offer = { title: 'Theirs', price: 1, published: true }

// What another process may do at any moment, and so between any two statements of the adapter.
const ACTS = {
  creates: "INSERT INTO offers (id, title, price, published, version) VALUES ('wave', 'Theirs', 1, 1, 'theirs')",
  changes: "UPDATE offers SET title = 'Theirs', price = 1, published = 1, version = 'theirs' WHERE id = 'wave'",
  removes: "DELETE FROM offers WHERE id = 'wave'"
}

type Call = (adapter: StorageAdapter<Offer>, version: string) => Promise<unknown>

const write = (expectation: Expectation): Call => async (adapter) => await adapter.write(KEY, offer, expectation)
const writeUnderTag: Call = async (adapter, version) =>
  await adapter.write(KEY, offer, { kind: 'version', versions: [version] })
const removeUnderTag: Call = async (adapter, version) =>
  await adapter.remove(KEY, { kind: 'version', versions: [version] })
const remove: Call = async (adapter) => await adapter.remove(KEY, EXISTS)

const REFUSED = { applied: false, current: { value: theirs, version: 'theirs' } }
const FOUND_NOTHING = { applied: false, current: undefined }
const CREATED = { applied: true, created: true }
const REPLACED = { applied: true, created: false }
const REMOVED = { applied: true }

/** Of a case: the call, whether there is an entity before it, what happens ahead of which statement, the outcome, what is left. */
type Race = [
  title: string,
  call: Call,
  isThere: boolean,
  acts: Array<[statement: string, act: keyof typeof ACTS]>,
  outcome: object,
  left: Offer | undefined
]

const races: Race[] = [
  ['a write under a tag, changed by another', writeUnderTag, true, [['UPDATE', 'changes']], REFUSED, theirs],
  ['a write under a tag, removed by another', writeUnderTag, true, [['UPDATE', 'removes']], FOUND_NOTHING, undefined],
  [
    'a write under a tag, removed and created anew',
    writeUnderTag,
    true,
    [
      ['UPDATE', 'removes'],
      ['SELECT', 'creates']
    ],
    REFUSED,
    theirs
  ],
  ['a write that expects "exists", changed by another', write(EXISTS), true, [['UPDATE', 'changes']], REPLACED, offer],
  [
    'a write that expects "exists", removed by another',
    write(EXISTS),
    true,
    [['UPDATE', 'removes']],
    FOUND_NOTHING,
    undefined
  ],
  [
    'a write that expects "exists", removed and created anew',
    write(EXISTS),
    true,
    [
      ['UPDATE', 'removes'],
      ['SELECT', 'creates']
    ],
    REPLACED,
    offer
  ],
  ['a creation, created by another', write(ABSENT), false, [['INSERT', 'creates']], REFUSED, theirs],
  ['a creation, removed after it met an entity', write(ABSENT), true, [['SELECT', 'removes']], CREATED, offer],
  ['a write that expects nothing, removed by another', write(ANY), true, [['UPDATE', 'removes']], CREATED, offer],
  [
    'a write that expects nothing, created after it met none',
    write(ANY),
    false,
    [['INSERT', 'creates']],
    REPLACED,
    offer
  ],
  ['a removal under a tag, changed by another', removeUnderTag, true, [['DELETE', 'changes']], REFUSED, theirs],
  ['a removal, removed by another', remove, true, [['DELETE', 'removes']], FOUND_NOTHING, undefined],
  [
    'a removal, removed and created anew',
    remove,
    true,
    [
      ['DELETE', 'removes'],
      ['SELECT', 'creates']
    ],
    REMOVED,
    undefined
  ]
]

for (const [title, call, isThere, acts, outcome, left] of races) {
  await t.test(`own table: ${title}: nothing of another is lost, and nothing is refused that held (R57, E1)`, async (t) => {
    const { adapter, handle, other } = subject(t)
    const version = isThere ? await create(adapter, KEY) : ''
    const pending = [...acts]
    handle.before = (sql) => {
      if (pending.length > 0 && sql.startsWith(pending[0]![0])) other.exec(ACTS[pending.shift()![1]])
    }
    t.match(await call(adapter, version), outcome)
    t.strictSame(pending, [], 'the other process had its turn')
    t.strictSame((await adapter.read(KEY))?.value, left)
  })
}

await t.test('own table: an entity that flickers is CONTENTION in the end, and the write was not applied (R58)', async (t) => {
  const { adapter, handle, other } = subject(t)
  let sent = 0
  handle.before = (sql) => {
    sent++
    other.exec(sql.startsWith('SELECT') ? ACTS.creates : ACTS.removes)
  }
  for (const call of [write(EXISTS), remove]) await t.rejects(call(adapter, ''), { code: 'FST_IF_MATCH_CONTENTION' })
  t.ok(sent < 200, `${sent} statements`)
  t.match(other.prepare('SELECT version FROM offers').pluck().all(), ['theirs'])
})

await t.test('own table: a signal that aborts after a statement took nothing stops the next one', async (t) => {
  const { adapter, handle, other } = subject(t)
  await create(adapter, KEY)
  const controller = new AbortController()
  handle.before = (sql) => {
    if (!sql.startsWith('SELECT')) return
    other.exec(ACTS.removes)
    controller.abort(new Error('nobody waits'))
  }
  await t.rejects(adapter.write(KEY, offer, ABSENT, { signal: controller.signal }), { message: 'nobody waits' })
  t.strictSame(other.prepare('SELECT * FROM offers').all(), [])
})

await t.test('own table: a failed write is UNAVAILABLE where SQLite undid it, and OUTCOME_UNKNOWN otherwise; it is not sent again (R59, E3, E16)', async (t) => {
  const { adapter, handle } = subject(t)
  const calls: Array<[Call, string]> = [[write(ANY), 'UPDATE'], [write(ABSENT), 'INSERT'], [remove, 'DELETE']]
  const faults = {
    SQLITE_BUSY: 'STORAGE_UNAVAILABLE',
    SQLITE_BUSY_SNAPSHOT: 'STORAGE_UNAVAILABLE',
    SQLITE_FULL: 'STORAGE_UNAVAILABLE',
    SQLITE_READONLY: 'STORAGE_UNAVAILABLE',
    SQLITE_IOERR_FSYNC: 'OUTCOME_UNKNOWN',
    SQLITE_CORRUPT: 'OUTCOME_UNKNOWN'
  }
  for (const [fault, code] of Object.entries(faults)) {
    for (const [call, statement] of calls) {
      let times = 0
      handle.before = (sql) => {
        if (!sql.startsWith(statement)) return
        times++
        throw sqliteError(fault)
      }
      await t.rejects(
        call(adapter, ''),
        { code: `FST_IF_MATCH_${code}`, cause: { code: fault } },
        `${fault} in ${statement}`
      )
      t.equal(times, 1)
    }
  }
})

await t.test('own table: a write whose answer is lost is OUTCOME_UNKNOWN, and may be there (R59)', async (t) => {
  const { adapter, handle } = subject(t)
  handle.after = (sql) => { if (sql.startsWith('INSERT')) throw sqliteError('SQLITE_IOERR') }
  await t.rejects(adapter.write(KEY, offer, ABSENT), { code: 'FST_IF_MATCH_OUTCOME_UNKNOWN' })
  t.strictSame((await adapter.read(KEY))?.value, offer)
})

await t.test('own table: a read that fails is an outage and never an absence, behind a write that took nothing too (R59)', async (t) => {
  const { adapter, handle } = subject(t)
  handle.before = (sql) => { if (sql.startsWith('SELECT')) throw sqliteError('SQLITE_IOERR') }
  const read: Call = async (adapter) => await adapter.read(KEY)
  for (const call of [read, write(EXISTS), remove]) { await t.rejects(call(adapter, ''), { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE', cause: { code: 'SQLITE_IOERR' } }) }
})
