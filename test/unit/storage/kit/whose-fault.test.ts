import { inspect } from 'node:util'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { ConstraintError } from '../../../../lib/errors.js'
import {
  isOfApp,
  isOfConstraint,
  mistakeIn,
  passOn,
  storageFault,
  toldOfConstraint,
  withFramesOf
} from '../../../../lib/storage/kit/whose-fault.js'

const coded = (code: unknown, more: object = {}) => Object.assign(new Error('simulated'), { code, ...more })

/** What a step throws. */
function thrownBy (step: () => unknown): Error {
  try {
    step()
  } catch (error) {
    return error as Error
  }
  throw new Error('nothing was thrown')
}

await t.test('an error of the app has a status of the client, or was passed on', async (t) => {
  for (const statusCode of [400, 409, 422, 499]) t.ok(isOfApp(Object.assign(new Error(), { statusCode })))
  t.ok(isOfApp(Object.assign(new Error('an exception of Nest'), { status: 409 })))
  t.notOk(isOfApp(Object.assign(new Error(), { statusCode: 503, status: 409 })))
  for (const statusCode of [200, 399, 500, 503, '409', undefined]) {
    t.notOk(isOfApp(Object.assign(new Error(), { statusCode })), String(statusCode))
  }
  for (const thrown of [undefined, null, 'text', 409]) t.notOk(isOfApp(passOn(thrown)))
  const own = new Error('of the app')
  t.equal(passOn(own), own)
  t.ok(isOfApp(own))
})

await t.test('an error of a constraint is that of the package, or was marked', async (t) => {
  const own = new Error('of the app')
  t.ok(isOfConstraint(new ConstraintError()))
  for (const other of [own, undefined, 'text', Object.assign(new Error(), { code: '23505' })]) {
    t.notOk(isOfConstraint(other))
  }
  for (const marked of [own, 'text', null]) t.equal(toldOfConstraint(marked), marked)
  t.ok(isOfConstraint(own))
})

await t.test('a mistake in the code is told from an outage, also inside the error of an ORM and from another realm', async (t) => {
  const bugs = [
    thrownBy(() => (undefined as unknown as { rows: unknown }).rows),
    thrownBy(() => JSON.parse('{')),
    thrownBy(() => decodeURIComponent('%')),
    thrownBy(() => new Date(NaN).toISOString()),
    thrownBy(() => new URL('nowhere')),
    runInNewContext('try { nothing } catch (error) { error }'),
    Object.assign(new Error('not equal'), { name: 'AssertionError', code: 'ERR_ASSERTION' })
  ]
  for (const bug of bugs) {
    t.equal(mistakeIn(bug), 'code', String(bug))
    t.equal(mistakeIn(new Error('Failed query', { cause: bug })), 'code')
    t.equal(mistakeIn(Object.assign(new Error('QueryFailedError'), { driverError: bug })), 'code')
  }
  const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
  const others = [
    new TypeError('fetch failed', { cause: refused }),
    new TypeError('terminated', { cause: coded('UND_ERR_SOCKET') }),
    Object.assign(new TypeError('of a driver'), { code: 'CONNECTION_CLOSED' }),
    new TypeError('fetch failed'), new TypeError('Failed to fetch'), new TypeError('Load failed'),
    await fetch('http://127.0.0.1:1').catch((error: unknown) => error),
    new Error('the connection was lost'), refused, 'text', undefined, null, 1
  ]
  for (const other of others) t.equal(mistakeIn(other), undefined, String(other))
  const endless: { cause?: unknown } = new TypeError('endless')
  endless.cause = endless
  t.equal(mistakeIn(endless), undefined)
})

await t.test('a statement that the engine refused as wrong is told by the SQLSTATE, of MySQL too, and by the result code of SQLite', async (t) => {
  const wrong = [
    ...['42703', '42P01', '42501', '0A000', '21000', '26000', '3F000', '55000'].map((code) => coded(code)),
    coded('ER_BAD_FIELD_ERROR', { sqlState: '42S22' }),
    ...['SQLITE_ERROR', 'SQLITE_ERROR_MISSING_COLLSEQ', 'SQLITE_MISUSE', 'SQLITE_RANGE'].map((code) => coded(code)),
    ...[1, 257, 25].map((errcode) => coded('ERR_SQLITE_ERROR', { errcode }))
  ]
  for (const error of wrong) {
    t.equal(mistakeIn(error), 'statement', inspect(error))
    t.equal(mistakeIn(new Error('Failed query', { cause: error })), 'statement')
  }
  const others = [
    ...['23505', '40001', '08006', '28P01', '57P01', '55P03', '55006', '42', 'SQLITE_BUSY', 'SQLITE_CONSTRAINT']
      .map((code) => coded(code)),
    coded('ER_USER_LIMIT_REACHED', { sqlState: '42000' }),
    coded('ER_LOCK_DEADLOCK', { sqlState: '40001' }),
    coded('ERR_SQLITE_ERROR', { errcode: 5 }), coded('OTHER', { errcode: 1 })
  ]
  for (const error of others) t.equal(mistakeIn(error), undefined, inspect(error))
})

await t.test('the cause of a fault is the error itself, with message and stack; where the text may quote content only the place in the code is kept', async (t) => {
  const bug = thrownBy(() => (undefined as unknown as { rows: unknown }).rows)
  const fault = { code: 'FST_IF_MATCH_STORAGE_FAULT', statusCode: 500, message: /it is so/, cause: bug }
  t.match(storageFault('it is so', bug), fault)
  const text = 'a secret'
  const quoting = [
    thrownBy(() => JSON.parse(text)),
    thrownBy(() => BigInt(text)),
    thrownBy(() => Buffer.alloc(text as never)),
    thrownBy(() => new URL(text))
  ]
  for (const error of quoting) {
    const { cause } = storageFault('it is so', error) as { cause: Error }
    t.notMatch(inspect(cause, { showHidden: true, depth: 9 }), /a secret/)
    t.match(cause.message, /(SyntaxError|ERR_\w+): its text may quote/)
    t.match(cause.stack, /whose-fault\.test/)
  }
})

await t.test('another text keeps the frames of an error, and of what has none makes an error all the same', async (t) => {
  const error = new Error('two\nlines, and a secret')
  const made = withFramesOf(error, 'other')
  t.equal(made.message, 'other')
  t.equal(made.stack, error.stack?.replace(error.message, 'other'))
  for (const strange of [
    undefined, 'text', {}, new Error(''),
    Object.assign(new Error('a'), { message: 'b' }),
    Object.assign(new Error('at'), { stack: 'Error\n a secret\n at' }),
    Object.assign(new Error('x'), { stack: undefined })
  ]) {
    t.match(withFramesOf(strange, 'other').stack, /^Error: other\n +at /)
    t.notMatch(withFramesOf(strange, 'other').stack, /secret/)
  }
})
