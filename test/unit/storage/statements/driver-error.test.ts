import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import pg from 'pg'
import t from 'tap'
import { ConstraintError } from '../../../../lib/errors.js'
import { driverErrorOf } from '../../../../lib/storage/statements/driver-error.js'
import { sqlStateFault } from '../../../../lib/storage/statements/faults.js'

const driver = Object.assign(new Error('of the driver'), { code: '23505' })

await t.test('the error of the driver is found in the error of an ORM, as its cause, driverError or original, or in meta of Prisma', async (t) => {
  t.equal(driverErrorOf(driver), driver)
  t.equal(driverErrorOf(new Error('Failed query', { cause: driver })), driver)
  t.equal(driverErrorOf(Object.assign(new Error('QueryFailedError'), { driverError: driver })), driver)
  t.equal(
    driverErrorOf(new Error('outer', { cause: Object.assign(new Error('inner'), { driverError: driver }) })),
    driver
  )
  t.equal(driverErrorOf(Object.assign(new Error('of Sequelize'), { parent: driver, original: driver })), driver)
  const meta = { driverAdapterError: new Error('of Prisma', { cause: { originalCode: '23505', kind: 'Unique' } }) }
  t.match(driverErrorOf(Object.assign(new Error('P2002'), { code: 'P2002', meta })), { code: '23505' })
})

await t.test('a pool of the driver mariadb that had no connection sent nothing, whatever its cause says', async (t) => {
  const cause = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', syscall: 'read', fatal: true })
  const late = Object.assign(new Error('pool timeout', { cause }), { errno: 45028, sqlState: 'HY000', fatal: false })
  for (const error of [late, new Error('Failed query', { cause: late })]) t.equal(driverErrorOf(error), late)
})

await t.test('any thrown value is accepted, and an endless chain of causes ends the search', async (t) => {
  for (const thrown of [undefined, null, 'text', 1, { cause: null }]) t.equal(driverErrorOf(thrown), thrown)
  const endless: { cause?: unknown } = {}
  endless.cause = endless
  t.equal(driverErrorOf(endless), endless)
})

await t.test('an error that tells that nothing was sent is taken, not its cause: a Pool of pg that could not connect in time', async (t) => {
  const silent = createServer(() => {}).listen(0, '127.0.0.1')
  t.teardown(() => { silent.close() })
  await once(silent, 'listening')
  const pool = new pg.Pool({
    host: '127.0.0.1',
    port: (silent.address() as AddressInfo).port,
    connectionTimeoutMillis: 50
  })
  const late = await pool.query('SELECT 1').catch((error: unknown) => error) as Error
  t.match(late.cause, { message: 'Connection terminated unexpectedly' }, 'which alone would leave it unknown')
  for (const error of [late, new Error('Failed query', { cause: late })]) {
    t.equal(driverErrorOf(error), late)
    t.match(sqlStateFault(driverErrorOf(error)), { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE' })
  }
})

await t.test('an error of the app is taken with the cause that it has, also from inside the error of an ORM', async (t) => {
  const own = Object.assign(new Error('of the app', { cause: driver }), { statusCode: 409 })
  for (const error of [own, new Error('Failed query', { cause: own })]) t.equal(driverErrorOf(error), own)
  const ours = new ConstraintError({ cause: driver })
  for (const error of [ours, new Error('Failed query', { cause: ours })]) t.equal(driverErrorOf(error), ours)
})
