import t from 'tap'
import { innerError } from '../../../../lib/storage/kit/inner-error.js'

const driver = new Error('of the driver')

// As Prisma 7 throws it: the error of its client has the adapter's in `meta`, and that has the codes as its cause.
const ofPrisma = (cause: unknown): Error => Object.assign(new Error('Invalid `prisma.offer.create()` invocation'), {
  code: 'P2002',
  meta: { modelName: 'Offer', driverAdapterError: Object.assign(new Error('DriverAdapterError'), { cause }) }
})

await t.test('the error inside is the cause, driverError of TypeORM, or original of Sequelize', async (t) => {
  t.equal(innerError(new Error('Failed query', { cause: driver })), driver)
  t.equal(innerError(Object.assign(new Error('QueryFailedError'), { driverError: driver })), driver)
  t.equal(innerError(Object.assign(new Error('Validation error'), { parent: driver, original: driver })), driver)
  t.equal(innerError(Object.assign(new Error('of the app'), { original: 'a text' })), undefined)
  for (const none of [driver, { cause: null }, undefined, null, 'text']) t.equal(innerError(none), undefined)
})

await t.test('what Prisma keeps of the error of its driver becomes an error as the driver throws it, of each engine', async (t) => {
  t.match(
    innerError(ofPrisma({
      originalCode: '23505',
      originalMessage: 'duplicate key',
      kind: 'UniqueConstraintViolation',
      constraint: { index: 'offers_title_key' }
    })),
    { message: 'duplicate key', code: '23505', constraint: 'offers_title_key' }
  )
  t.match(innerError(ofPrisma({ kind: 'postgres', code: '55P03', message: 'locked' })), { code: '55P03' })
  t.match(
    innerError(
      ofPrisma({ originalCode: '1062', originalMessage: 'Duplicate entry', kind: 'UniqueConstraintViolation' })
    ),
    { errno: 1062, sqlState: '', sqlMessage: 'Duplicate entry' }
  )
  t.match(
    innerError(ofPrisma({ originalCode: '1205', kind: 'mysql', code: 1205, message: 'Lock wait', state: 'HY000' })),
    { errno: 1205, sqlState: 'HY000' }
  )
  t.match(innerError(ofPrisma({ originalCode: '45028', kind: 'mysql', code: 45028, state: 'HY000' })), { errno: 45028 })
  t.match(
    innerError(ofPrisma({ originalCode: 'SQLITE_CONSTRAINT_UNIQUE', kind: 'UniqueConstraintViolation' })),
    { code: 'SQLITE_CONSTRAINT_UNIQUE' }
  )
  t.match(innerError(ofPrisma({ kind: 'sqlite', extendedCode: 275, message: 'CHECK' })), { errcode: 275 })
})

await t.test('of a connection Prisma tells whether it was ever made; of what it does not know, the adapter’s error is all there is', async (t) => {
  t.match(innerError(ofPrisma({ kind: 'DatabaseNotReachable', host: 'h', port: 1 })), { syscall: 'connect' })
  t.match(innerError(ofPrisma({ kind: 'ConnectionClosed' })), { message: 'DriverAdapterError' })
  t.match(innerError(ofPrisma(undefined)), { message: 'DriverAdapterError' })
  t.match(innerError(Object.assign(new Error(), { meta: { target: ['title'] } })), undefined)
})
