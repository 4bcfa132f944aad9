import Fastify from 'fastify'
import t from 'tap'
import ifMatch, { type Expectation, type StorageAdapter } from 'fastify-if-match'
import type { Offer } from './offer.js'
import { create, KEY, subjects, wave } from './subjects.js'

const EXISTS = { kind: 'exists' } as const
const ABSENT = { kind: 'absent' } as const
const ANY = { kind: 'any' } as const

const theirs: Offer = { title: 'Theirs', price: 1, published: true }

// What another process may do at any moment, and so between any two statements of the adapter.
const ACTS = {
  creates: "INSERT INTO offers (id, title, price, published, version) VALUES ('wave', 'Theirs', 1, TRUE, 'theirs')",
  changes: "UPDATE offers SET title = 'Theirs', price = 1, published = TRUE, version = 'theirs' WHERE id = 'wave'",
  removes: "DELETE FROM offers WHERE id = 'wave'"
}

type Call = (adapter: StorageAdapter<Offer>, version: string) => Promise<unknown>
type Race = [
  title: string,
  call: Call,
  isThere: boolean,
  acts: Array<[statement: string, act: keyof typeof ACTS]>,
  outcome: object,
  left: Offer | undefined
]

const write = (expectation: Expectation): Call => async (adapter) => await adapter.write(KEY, wave, expectation)
const writeUnderTag: Call = async (adapter, version) =>
  await adapter.write(KEY, wave, { kind: 'version', versions: ['x', version] })
const removeUnderTag: Call = async (adapter, version) =>
  await adapter.remove(KEY, { kind: 'version', versions: [version] })

const REFUSED = { applied: false, current: { value: theirs, version: 'theirs' } }
const FOUND_NOTHING = { applied: false, current: undefined }

const races: Race[] = [
  ['a write under a tag, changed by another', writeUnderTag, true, [['UPDATE', 'changes']], REFUSED, theirs],
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
    { applied: true, created: false },
    wave
  ],
  ['a creation, created by another', write(ABSENT), false, [['INSERT', 'creates']], REFUSED, theirs],
  [
    'a creation, removed after it met an entity',
    write(ABSENT),
    true,
    [['SELECT', 'removes']],
    { applied: true, created: true },
    wave
  ],
  [
    'a write that expects nothing, created after it met none',
    write(ANY),
    false,
    [['INSERT', 'creates']],
    { applied: true, created: false },
    wave
  ],
  ['a removal under a tag, changed by another', removeUnderTag, true, [['DELETE', 'changes']], REFUSED, theirs]
]

const kindOf = (sql: string): string => sql.trimStart().slice(0, 6).toUpperCase()

for (const [orm, subject] of Object.entries(subjects)) {
  await t.test(`${orm}: between any two statements another may act: nothing is lost, and nothing refused that held (R57, E1)`, async (t) => {
    const { adapter, hooks, act, rows } = await subject(t)
    for (const [title, call, isThere, acts, outcome, left] of races) {
      await act('DELETE FROM offers')
      const version = isThere ? await create(adapter) : ''
      const pending = [...acts]
      hooks.before = async (sql) => {
        if (pending.length > 0 && kindOf(sql) === pending[0]![0]) await act(ACTS[pending.shift()![1]])
      }
      t.match(await call(adapter, version), outcome, title)
      t.strictSame(pending, [], 'the other process had its turn')
      t.strictSame((await adapter.read(KEY))?.value, left)
      t.equal((await rows('SELECT id FROM offers')).length, left ? 1 : 0)
    }
  })

  await t.test(`${orm}: what applies is one statement and a refusal two: nothing reads first, and nothing is sent again (E1, E3)`, async (t) => {
    const { adapter, hooks } = await subject(t)
    const sent: string[] = []
    hooks.before = (sql) => sent.push(kindOf(sql))
    const version = await create(adapter)
    await writeUnderTag(adapter, version)
    t.match(await writeUnderTag(adapter, version), { applied: false })
    t.match(await write(ABSENT)(adapter, ''), { applied: false })
    t.match(await removeUnderTag(adapter, version), { applied: false })
    t.match(
      await adapter.write(KEY, wave, { kind: 'version', versions: [] }),
      { applied: false },
      'an empty list of tags fits nothing'
    )
    t.match(await adapter.remove(KEY, EXISTS), { applied: true })
    t.match(await write(ANY)(adapter, ''), { applied: true, created: true })
    t.strictSame(sent, [
      'INSERT',
      'UPDATE',
      'UPDATE',
      'SELECT',
      'INSERT',
      'SELECT',
      'DELETE',
      'SELECT',
      'UPDATE',
      'SELECT',
      'DELETE',
      'UPDATE',
      'INSERT'
    ])
  })

  await t.test(`${orm}: a write whose answer is lost is applied if the row proves it, and never sent again; a removal is OUTCOME_UNKNOWN (R59, E2)`, async (t) => {
    const { adapter, hooks } = await subject(t)
    const sent: string[] = []
    hooks.before = (sql) => sent.push(kindOf(sql))
    hooks.after = (sql) => { if (kindOf(sql) !== 'SELECT') throw new Error('the connection was closed') }
    t.match(await write(ABSENT)(adapter, ''), { applied: true, created: true })
    t.match(await write(EXISTS)(adapter, ''), { applied: true, created: false })
    await t.rejects(adapter.remove(KEY, EXISTS), { code: 'FST_IF_MATCH_OUTCOME_UNKNOWN' })
    t.strictSame(sent, ['INSERT', 'SELECT', 'UPDATE', 'SELECT', 'DELETE'])
  })

  await t.test(`${orm}: a read that fails is an outage and no absence (R59)`, async (t) => {
    const { adapter, hooks } = await subject(t)
    hooks.before = (sql) => { if (kindOf(sql) === 'SELECT') throw new Error('the connection was closed') }
    for (const call of [adapter.read(KEY), adapter.write(KEY, wave, EXISTS), adapter.remove(KEY, EXISTS)] as Array<
      Promise<unknown>
    >) {
      await t.rejects(call, { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE' })
    }
  })

  await t.test(`${orm}: a constraint is 422 and nothing changes, a table that is gone is 503; neither the answer nor the log has the content`, async (t) => {
    const { adapter, act, rows } = await subject(t)
    let log = ''
    const app = Fastify({ logger: { level: 'info', stream: { write: (line: string) => { log += line } } } })
    t.teardown(async () => { await app.close() })
    await app.register(ifMatch, { storage: adapter })
    app.put(
      '/offers/:id',
      { config: { ifMatch: true } },
      async (request) => (await request.entity<Offer>().replace(request.body as Offer)).value
    )
    const put = async (payload: Offer, headers: object) =>
      await app.inject({ method: 'PUT', url: KEY, headers: { ...headers }, payload })
    const secret = { title: 'a secret title', price: -1, published: false }

    await create(adapter)
    const before = await adapter.read(KEY)
    for (const headers of [{ 'if-match': `"${before!.version}"` }, { 'if-match': '*' }]) {
      t.match((await put(secret, headers)).json(), { statusCode: 422, code: 'FST_IF_MATCH_INVALID_VALUE' })
    }
    t.strictSame(await adapter.read(KEY), before)
    await act(ACTS.removes)
    t.match((await put(secret, { 'if-none-match': '*' })).json(), {
      statusCode: 422,
      code: 'FST_IF_MATCH_INVALID_VALUE'
    })
    t.strictSame(await rows('SELECT id FROM offers'), [])
    await act('DROP TABLE offers')
    const answer = await put({ ...secret, price: 1 }, { 'if-none-match': '*' })
    t.equal(answer.statusCode, 503)
    t.notMatch(log + answer.body, /secret/)
    t.match(log, /offers/, 'the log says what is missing')
  })

  await t.test(`${orm}: a value that is no offer and a key that is none are refused before anything is sent (E4)`, async (t) => {
    const { adapter, hooks } = await subject(t)
    hooks.before = () => { throw new Error('sent') }
    for (const value of [
      undefined,
      null,
      [],
      {},
      { ...wave, vendor: 1 },
      { ...wave, title: '\ud800' },
      { ...wave, title: '\0' },
      { ...wave, price: 0.5 },
      { ...wave, published: 1 }
    ]) {
      await t.rejects(adapter.write(KEY, value as Offer, ANY), { code: 'FST_IF_MATCH_INVALID_VALUE' })
    }
    for (const key of [
      '',
      '/offers/',
      '/offers/%77ave',
      '/offers/a/b',
      '/offers/%00',
      '/offers/%',
      `/offers/${'x'.repeat(101)}`
    ]) {
      await t.rejects(adapter.read(key), { code: 'FST_IF_MATCH_INVALID_KEY' }, key)
    }
  })

  await t.test(`${orm}: every column is written and comes back as it was, and the time of the change with it`, async (t) => {
    const { adapter, act, rows } = await subject(t)
    for (const value of [
      { title: '', price: 0, published: true },
      { title: "'; -- \u{1f600}\r\n", price: Number.MAX_SAFE_INTEGER, published: false }
    ]) {
      await adapter.write(KEY, value, ABSENT)
      t.strictSame((await adapter.read(KEY))?.value, value)
      await act("UPDATE offers SET updated_at = '2001-01-01 00:00:00'")
      await adapter.write(KEY, theirs, EXISTS)
      t.strictSame((await adapter.read(KEY))?.value, theirs)
      t.strictSame(
        await rows("SELECT title FROM offers WHERE updated_at > '2020-01-01 00:00:00' AND price BETWEEN 1 AND 2"),
        [{ title: 'Theirs' }]
      )
      await adapter.remove(KEY, EXISTS)
    }
  })

  await t.test(`${orm}: plain SQL that makes or changes a row gives it a version that was never there (R14)`, async (t) => {
    const { adapter, act } = await subject(t)
    await act("INSERT INTO offers (id, title, price, published) VALUES ('wave', 'Wave', 1900, FALSE)")
    const made = await adapter.read(KEY)
    await adapter.write(KEY, wave, EXISTS, { digest: 'd' })
    const written = await adapter.read(KEY)
    await act('UPDATE offers SET price = 2000')
    const changed = await adapter.read(KEY)
    t.match(changed, { value: { price: 2000 }, replaced: written!.version, digest: undefined })
    t.equal(new Set([made, written, changed].map((stored) => stored!.version)).size, 3)
  })

  await t.test(`${orm}: in a transaction the write goes with the rows of the app, and a refusal rolls all of it back`, async (t) => {
    const { adapter, rows, transaction } = await subject(t)
    const version = await create(adapter)
    const save = async (title: string) => await transaction(async (client, note) => {
      await note(title)
      const result = await adapter.write(
        KEY,
        { ...wave, title },
        { kind: 'version', versions: [version] },
        { context: { client } }
      )
      if (!result.applied) throw new Error('refused')
      t.match(await adapter.read(KEY, { context: { client } }), { value: { title } }, 'it sees its own write')
    })
    await save('first')
    await t.rejects(save('second'), { message: 'refused' })
    t.strictSame(await rows('SELECT note, title FROM audit, offers'), [{ note: 'first', title: 'first' }])
    await t.rejects(transaction(async (client) => {
      await adapter.remove(KEY, EXISTS, { context: { client } })
      throw new Error('of the app')
    }), { message: 'of the app' })
    t.match(await adapter.read(KEY), { value: { title: 'first' } })
  })
}
