import t from 'tap'
import { ConstraintError, InvalidKeyError } from '../../../../lib/errors.js'
import { isOfApp, isOfConstraint } from '../../../../lib/storage/kit/whose-fault.js'
import { guardedFaultOf, mapped } from '../../../../lib/storage/statements/app-functions.js'

const FAULT = { code: 'FST_IF_MATCH_STORAGE_FAULT' }
const thrower = (thrown: unknown) => () => { throw thrown }

await t.test('what a function of the mapping makes is passed on, and so is an error of the app or of the package', async (t) => {
  t.equal(mapped('toId', () => 0), 0)
  t.equal(mapped('toValue', () => undefined), undefined)
  const own = new Error('of the app')
  for (const thrown of [own, new InvalidKeyError('is none'), Object.assign(new Error(), { statusCode: 422 })]) {
    t.throws(() => mapped('toId', thrower(thrown)), thrown)
  }
  t.ok(isOfApp(own))
})

await t.test('a bug, a thrown text, nothing and a promise are faults of the server', async (t) => {
  const bug = new TypeError('a bug')
  t.throws(() => mapped('toValue', thrower(bug)), { ...FAULT, message: /toValue/, cause: bug })
  t.throws(() => mapped('toColumns', thrower('text')), { ...FAULT, cause: 'text' })
  for (const made of [undefined, null, Promise.resolve()]) t.throws(() => mapped('toColumns', () => made), FAULT)
})

await t.test('what faultOf gives or throws goes out; the error of the driver itself, nothing and null say nothing', async (t) => {
  const driver = Object.assign(new Error('of the driver'), { code: 'LOST' })
  const own = new Error('of the app')
  for (const faultOf of [() => own, thrower(own), async () => own]) t.equal(await guardedFaultOf(faultOf)(driver), own)
  t.ok(isOfApp(own))
  for (const faultOf of [undefined, () => undefined, () => null, () => driver, thrower(driver)]) {
    t.equal(await guardedFaultOf(faultOf)(driver), undefined)
  }
  t.match(await guardedFaultOf(() => new ConstraintError())(driver), { code: 'FST_IF_MATCH_CONSTRAINT' })
  const refused = Object.assign(new TypeError('of the app'), { statusCode: 422 })
  t.equal(await guardedFaultOf(thrower(refused))(driver), refused)
  t.match(await guardedFaultOf(thrower(new TypeError('a bug')))(driver), { ...FAULT, message: /may have been applied/ })
  for (const faultOf of [undefined, () => undefined]) {
    const taken = Object.assign(new Error('taken'), { code: '23505', constraint: 'title' })
    t.match(await guardedFaultOf(faultOf)(taken), { code: 'FST_IF_MATCH_CONSTRAINT', cause: { constraint: 'title' } })
  }
  t.notOk(isOfConstraint(own))
  await guardedFaultOf(() => own)(Object.assign(new Error('taken'), { code: '23505' }))
  t.ok(isOfConstraint(own))
  const misspelt = Object.assign(new Error('no such column'), { code: '42703' })
  for (const faultOf of [undefined, thrower(misspelt)]) t.match(await guardedFaultOf(faultOf)(misspelt), FAULT)
})
