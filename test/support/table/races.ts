import t from 'tap'
import type { Expectation, StorageAdapter } from 'fastify-if-match'
import type { Offer } from '../../docs/write-an-adapter/offer.js'
import { ABSENT, ANY, EXISTS, versionIn } from '../expectations.js'
import { create, KEY, verbOf, wave, type OpenTable } from './table.js'

const theirs: Offer = { title: 'Theirs', price: 1, published: true }

// What another process may do at any moment, and so between any two statements of the adapter.
const ACTS = {
  creates: "INSERT INTO offers (id, title, price, published, version) VALUES ('wave', 'Theirs', 1, TRUE, 'theirs')",
  changes: "UPDATE offers SET title = 'Theirs', price = 1, published = TRUE, version = 'theirs' WHERE id = 'wave'",
  removes: "DELETE FROM offers WHERE id = 'wave'"
}

type Call = (adapter: StorageAdapter<Offer>, version: string) => Promise<unknown>

const write = (expectation: Expectation): Call => async (adapter) => await adapter.write(KEY, wave, expectation)
const writeUnderTag: Call = async (adapter, version) => await adapter.write(KEY, wave, versionIn('x', version))
const removeUnderTag: Call = async (adapter, version) => await adapter.remove(KEY, versionIn(version))
const remove: Call = async (adapter) => await adapter.remove(KEY, EXISTS)

const CREATED = { applied: true, created: true }
const REPLACED = { applied: true, created: false }
const REMOVED = { applied: true }
const REFUSED = { applied: false, current: { value: theirs, version: 'theirs' } }
const FOUND_NOTHING = { applied: false, current: undefined }

interface Race {
  call: Call
  /** Whether the entity is there before the call. */
  isThere?: boolean
  /** What the other process does, each ahead of the next statement with this verb. */
  acts: Array<[verb: string, act: keyof typeof ACTS]>
  outcome: object
  /** The value afterwards. */
  value?: Offer
}

const recreates: Race['acts'] = [['UPDATE', 'removes'], ['SELECT', 'creates']]

const races: Record<string, Race> = {
  'a write under a tag, and another changes the entity': {
    call: writeUnderTag, isThere: true, acts: [['UPDATE', 'changes']], outcome: REFUSED, value: theirs
  },
  'a write under a tag, and another removes the entity': {
    call: writeUnderTag, isThere: true, acts: [['UPDATE', 'removes']], outcome: FOUND_NOTHING
  },
  'a write under a tag, and others remove and create the entity': {
    call: writeUnderTag, isThere: true, acts: recreates, outcome: REFUSED, value: theirs
  },
  'a write that expects "exists", and another changes the entity': {
    call: write(EXISTS), isThere: true, acts: [['UPDATE', 'changes']], outcome: REPLACED, value: wave
  },
  'a write that expects "exists", and another removes the entity': {
    call: write(EXISTS), isThere: true, acts: [['UPDATE', 'removes']], outcome: FOUND_NOTHING
  },
  'a write that expects "exists", and others remove and create the entity': {
    call: write(EXISTS), isThere: true, acts: recreates, outcome: REPLACED, value: wave
  },
  'a creation, and another creates the entity': {
    call: write(ABSENT), acts: [['INSERT', 'creates']], outcome: REFUSED, value: theirs
  },
  'a creation that met an entity, and another removes it': {
    call: write(ABSENT), isThere: true, acts: [['SELECT', 'removes']], outcome: CREATED, value: wave
  },
  'a write that expects "any", and another removes the entity': {
    call: write(ANY), isThere: true, acts: [['UPDATE', 'removes']], outcome: CREATED, value: wave
  },
  'a write that expects "any" and met no entity, and another creates it': {
    call: write(ANY), acts: [['INSERT', 'creates']], outcome: REPLACED, value: wave
  },
  'a removal under a tag, and another changes the entity': {
    call: removeUnderTag, isThere: true, acts: [['DELETE', 'changes']], outcome: REFUSED, value: theirs
  },
  'a removal, and another removes the entity': {
    call: remove, isThere: true, acts: [['DELETE', 'removes']], outcome: FOUND_NOTHING
  },
  'a removal, and others remove and create the entity': {
    call: remove, isThere: true, acts: [['DELETE', 'removes'], ['SELECT', 'creates']], outcome: REMOVED
  }
}

/** Another process acts between the statements of the adapter: no change is lost, and no write is refused wrongly. */
export async function raceCases (name: string, open: OpenTable): Promise<void> {
  for (const [title, { call, isThere = false, acts, outcome, value }] of Object.entries(races)) {
    await t.test(`${name}: ${title}`, async (t) => {
      const { adapter, hooks, act, rows } = await open(t)
      const version = isThere ? await create(adapter) : ''
      const pending = [...acts]
      hooks.before = async (sql) => {
        if (verbOf(sql) === pending[0]?.[0]) await act(ACTS[pending.shift()![1]])
      }
      t.match(await call(adapter, version), outcome)
      t.strictSame(pending, [], 'the other process had its turn')
      t.strictSame((await adapter.read(KEY))?.value, value)
      t.equal((await rows('SELECT id FROM offers')).length, value === undefined ? 0 : 1)
    })
  }

  await t.test(`${name}: an entity that others remove and create again and again ends in CONTENTION, and the write was not applied`, async (t) => {
    const { adapter, hooks, act, rows } = await open(t)
    let sent = 0
    hooks.before = async (sql) => {
      sent++
      await act(verbOf(sql) === 'SELECT' ? ACTS.creates.replace("'theirs'", `'theirs-${sent}'`) : ACTS.removes)
    }
    for (const call of [write(EXISTS), remove]) await t.rejects(call(adapter, ''), { code: 'FST_IF_MATCH_CONTENTION' })
    t.ok(sent < 200, `${sent} statements`)
    t.strictSame(await rows('SELECT version FROM offers'), [{ version: `theirs-${sent}` }])
  })

  await t.test(`${name}: a signal that aborts after a statement that matched nothing stops the next one`, async (t) => {
    const { adapter, hooks, act, rows } = await open(t)
    await create(adapter)
    const controller = new AbortController()
    hooks.before = async (sql) => {
      if (verbOf(sql) !== 'SELECT') return
      controller.abort(new Error('nobody waits'))
      await act(ACTS.removes)
    }
    await t.rejects(adapter.write(KEY, wave, ABSENT, { signal: controller.signal }), { message: 'nobody waits' })
    t.strictSame(await rows('SELECT id FROM offers'), [])
  })
}
