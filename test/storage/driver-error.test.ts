import t from 'tap'
import { driverErrorOf } from '../../lib/storage/driver-error.js'

const driver = Object.assign(new Error('of the driver'), { code: '23505' })

await t.test('the error of the driver is found in what an ORM made of it, as a cause or a driverError', async (t) => {
  t.equal(driverErrorOf(driver), driver)
  t.equal(driverErrorOf(new Error('Failed query', { cause: driver })), driver)
  t.equal(driverErrorOf(Object.assign(new Error('QueryFailedError'), { driverError: driver })), driver)
  t.equal(driverErrorOf(new Error('outer', { cause: Object.assign(new Error('inner'), { driverError: driver }) })), driver)
})

await t.test('whatever was thrown is taken, and a chain without an end ends', async (t) => {
  for (const thrown of [undefined, null, 'text', 1, { cause: null }]) t.equal(driverErrorOf(thrown), thrown)
  const endless: { cause?: unknown } = {}
  endless.cause = endless
  t.equal(driverErrorOf(endless), endless)
})
