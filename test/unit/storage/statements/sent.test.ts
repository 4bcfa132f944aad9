import { inspect } from 'node:util'
import t from 'tap'
import { ContentionError, StorageUnavailableError } from '../../../../lib/errors.js'
import { sqlStateFault } from '../../../../lib/storage/statements/faults.js'
import { sent } from '../../../../lib/storage/statements/sent.js'
import { withoutPauses } from '../../../support/without-pauses.js'

const coded = (code: string) => Object.assign(new Error('simulated'), { code })

/** A statement that fails with each of these errors in turn, and then succeeds. It counts its calls. */
function statement (...errors: unknown[]) {
  const send = Object.assign(async () => {
    send.calls++
    if (errors.length > 0) throw errors.shift()
    return 'done'
  }, { calls: 0 })
  return send
}

const lost = async () => 'lost'
const faultOf = async (error: unknown) => sqlStateFault(error)
const CONTENTION = { code: 'FST_IF_MATCH_CONTENTION' }
const UNAVAILABLE = { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE' }

await t.test('a statement goes once, unless the engine says that others were in its way', async (t) => {
  withoutPauses(t)
  t.equal(await sent(statement(), undefined, faultOf, lost), 'done')
  t.equal(await sent(statement(coded('ECONNRESET')), undefined, faultOf, lost), 'lost')
  for (const code of ['55P03', '57014', '53300']) {
    const once = statement(coded(code))
    await t.rejects(sent(once, undefined, faultOf, lost), UNAVAILABLE, code)
    t.equal(once.calls, 1)
  }
  t.equal(await sent(statement(coded('40001'), coded('40P01')), undefined, faultOf, lost), 'done')
})

await t.test('a lost answer of MySQL is told without the statement, which the driver quotes with its values', async (t) => {
  const reset = Object.assign(new Error('sql: a secret'), { errno: 45009, sqlState: '08S01', sql: 'a secret' })
  const cause = await sent(statement(reset), undefined, faultOf, async (error) => inspect(error))
  t.match(cause, /the connection was lost/)
  t.notMatch(cause, /a secret/)
})

await t.test('what another engine calls contention is tried again as well, by what faultOf says', async (t) => {
  withoutPauses(t)
  const deadlock = statement(coded('ER_LOCK_DEADLOCK'))
  t.equal(await sent(deadlock, undefined, async (cause) => new ContentionError(1, { cause }), lost), 'done')
  t.equal(deadlock.calls, 2)
})

await t.test('in a transaction a conflict, and a lock that is not free, are CONTENTION at once; an outage stays one', async (t) => {
  const options = { context: {} }
  for (const code of ['40001', '40P01', '55P03', 'SQLITE_BUSY']) {
    const once = statement(coded(code))
    const fault = code === 'SQLITE_BUSY' ? async () => new StorageUnavailableError() : faultOf
    await t.rejects(sent(once, options, fault, lost), CONTENTION, code)
    t.equal(once.calls, 1)
  }
  await t.rejects(sent(statement(coded('53300')), options, faultOf, lost), UNAVAILABLE)
  const own = new Error('of the app')
  for (const inside of [options, undefined]) {
    await t.rejects(sent(statement(coded('SQLITE_BUSY')), inside, async () => own, lost), own)
  }
  const ours = new ContentionError(9)
  for (const thrown of [ours, Object.assign(new Error(), { statusCode: 409 })]) {
    await t.rejects(sent(statement(thrown), undefined, faultOf, lost), thrown)
  }
})

await t.test('after 5 seconds a statement is not tried again: SQLite has waited for the lock by itself', async (t) => {
  withoutPauses(t)
  let now = 0
  t.intercept(performance, 'now', { value: () => now })
  const slow = statement(...Array.from({ length: 9 }, () => coded('40001')))
  await t.rejects(sent(async () => {
    now += 2000
    return await slow()
  }, undefined, faultOf, lost), { ...CONTENTION, message: / 3 attempts/ })
  t.equal(slow.calls, 3)
})

await t.test('a signal that aborts between two attempts ends them', async (t) => {
  withoutPauses(t)
  const controller = new AbortController()
  const stopping = async () => {
    controller.abort(new Error('nobody waits'))
    throw coded('40001')
  }
  await t.rejects(sent(stopping, { signal: controller.signal }, faultOf, lost), { message: 'nobody waits' })
})
