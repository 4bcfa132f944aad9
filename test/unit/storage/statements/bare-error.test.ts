import { inspect } from 'node:util'
import t from 'tap'
import { bareError } from '../../../../lib/storage/statements/bare-error.js'
import { driverErrorOf } from '../../../../lib/storage/statements/driver-error.js'
import { faultKind } from '../../../../lib/storage/postgres/faults.js'

// As Knex makes it: the driver's error, whose message it writes anew.
function ofKnex (statement: string, error: Error): Error {
  error.message = `${statement} - ${error.message}`
  return error
}

await t.test('the statement that Knex writes before the message is left out, also of the stack; codes, name, frames and cause stay', async (t) => {
  const statement = "insert into `orders` (`note`) values ('a - secret\n$&')"
  const cause = new Error('deeper')
  const error = ofKnex(statement, Object.assign(new TypeError('UNIQUE failed: orders.id', { cause }), { code: 'X' }))
  const bare = bareError(error) as Error
  t.match(bare, { message: 'UNIQUE failed: orders.id', name: 'TypeError', code: 'X', cause })
  t.match(bare.stack, /^TypeError: UNIQUE failed: orders\.id\n {4}at /)
  t.notMatch(inspect(bare, { depth: null }), /secret/)
  t.match(error.message, /secret/, 'the error of the app is left alone')
})

await t.test('the statement and the parameters that Sequelize adds are left out', async (t) => {
  const error = Object.assign(new Error('duplicate key'), { code: '23505', sql: 'secret', parameters: ['secret'] })
  t.match(bareError(error), { message: 'duplicate key', code: '23505', sql: undefined, parameters: undefined })
  t.notMatch(inspect(bareError(error), { depth: null }), /secret/)
})

await t.test('an error without a statement is given back as it is, and so is what is no error', async (t) => {
  for (const message of ['relation - "a" does not exist', 'selection - no', 'update', '']) {
    const error = new Error(message)
    t.equal(bareError(error), error, message)
  }
  for (const thrown of [null, 'select 1 - x', { message: 'select 1 - x' }]) t.equal(bareError(thrown), thrown)
})

await t.test('an error of Knex that tells that nothing was sent is known as one; an error of the app stays itself', async (t) => {
  const refused = () => ofKnex('select 1', new Error('Client has encountered a connection error and is not queryable'))
  t.equal(faultKind(driverErrorOf(refused())), 'NOT_APPLIED')
  const own = Object.assign(refused(), { statusCode: 409 })
  t.equal(driverErrorOf(own), own)
})
