import t from 'tap'
import ifMatch, { type StorageAdapter } from 'fastify-if-match'
import type { Offer } from '../../docs/write-an-adapter/offer.js'
import { ABSENT, ANY, EXISTS, versionIn } from '../expectations.js'
import { addOfferRoutes, newApp } from '../offers-app.js'
import { create, KEY, verbOf, wave, type OpenTable } from './table.js'

/** What the adapter sends, and what it makes of a statement that fails. */
export async function statementCases (name: string, open: OpenTable): Promise<void> {
  await t.test(`${name}: a write that is applied is one statement and a refusal two: nothing is read first, and nothing is sent again`, async (t) => {
    const { adapter, hooks } = await open(t)
    let sent: string[] = []
    hooks.before = (sql) => sent.push(verbOf(sql))
    const sends = async (call: Promise<unknown>, outcome: object, ...verbs: string[]): Promise<void> => {
      t.match(await call, outcome)
      t.strictSame(sent, verbs)
      sent = []
    }
    const version = await create(adapter)
    t.strictSame(sent.splice(0), ['INSERT'])
    await sends(adapter.write(KEY, wave, versionIn(version)), { applied: true }, 'UPDATE')
    await sends(adapter.write(KEY, wave, versionIn(version)), { applied: false }, 'UPDATE', 'SELECT')
    t.match(await adapter.write(KEY, wave, versionIn()), { applied: false })
    t.equal(sent.splice(0).at(-1), 'SELECT', 'an empty list is refused, and no error of a statement')
    await sends(adapter.write(KEY, wave, ABSENT), { applied: false }, 'INSERT', 'SELECT')
    await sends(adapter.remove(KEY, versionIn(version)), { applied: false }, 'DELETE', 'SELECT')
    await sends(adapter.remove(KEY, EXISTS), { applied: true }, 'DELETE')
    await sends(adapter.write(KEY, wave, ANY), { applied: true, created: true }, 'UPDATE', 'INSERT')
  })

  await t.test(`${name}: a read that fails is an outage and never an absence, also behind a write that matched nothing`, async (t) => {
    const { adapter, hooks } = await open(t)
    hooks.before = (sql) => { if (verbOf(sql) === 'SELECT') throw new Error('the connection was closed') }
    const calls: Array<(adapter: StorageAdapter<Offer>) => Promise<unknown>> = [
      async (adapter) => await adapter.read(KEY),
      async (adapter) => await adapter.write(KEY, wave, EXISTS),
      async (adapter) => await adapter.remove(KEY, EXISTS)
    ]
    for (const call of calls) {
      await t.rejects(call(adapter), {
        code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE',
        cause: { message: 'the connection was closed' }
      })
    }
  })

  await t.test(`${name}: a constraint is 422 and changes nothing, a table that is gone is 500; neither the answer nor the log has the content`, async (t) => {
    const { adapter, act, rows } = await open(t)
    let log = ''
    const app = newApp(t, { logger: { level: 'info', stream: { write: (line: string) => { log += line } } } })
    await app.register(ifMatch, { storage: adapter })
    addOfferRoutes(app)
    const secret = { title: 'a secret title', price: -1, published: false }
    const put = async (headers: Record<string, string>, payload: Offer) =>
      await app.inject({ method: 'PUT', url: KEY, headers, payload })

    await create(adapter)
    const before = await adapter.read(KEY)
    const refused = { statusCode: 422, code: 'FST_IF_MATCH_INVALID_VALUE' }
    for (const tag of [`"${before!.version}"`, '*']) t.match((await put({ 'if-match': tag }, secret)).json(), refused)
    t.strictSame(await adapter.read(KEY), before)
    await act('DELETE FROM offers')
    t.match((await put({ 'if-none-match': '*' }, secret)).json(), refused)
    t.strictSame(await rows('SELECT id FROM offers'), [])

    await act('DROP TABLE offers')
    const answer = await put({ 'if-none-match': '*' }, { ...secret, price: 1 })
    t.match([answer.statusCode, answer.json()], [500, { code: 'FST_IF_MATCH_STORAGE_FAULT' }])
    t.equal(answer.headers['retry-after'], undefined)
    t.notMatch(log + answer.body, /secret/)
    t.match(log, /offers/, 'the log says what is missing')
  })
}
