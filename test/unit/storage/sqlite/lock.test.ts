import t from 'tap'
import { whenFree } from '../../../../lib/storage/sqlite/lock.js'
import { sqliteError } from '../../../support/sqlite/handles.js'

await t.test('sqlite: a step runs again until the lock is free', async (t) => {
  let attempts = 0
  const result = await whenFree(() => {
    if (++attempts < 12) throw sqliteError('SQLITE_BUSY')
    return 'done'
  }, Infinity)
  t.equal(result, 'done')
  t.equal(attempts, 12)
})

await t.test('sqlite: a lock that stays busy is STORAGE_UNAVAILABLE, after one attempt at least, and says what to look for', async (t) => {
  let attempts = 0
  await t.rejects(whenFree(() => {
    attempts++
    throw sqliteError('SQLITE_BUSY')
  }, 0), { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE', cause: { message: /holds the lock/ } })
  t.equal(attempts, 1)
})

await t.test('sqlite: a step that fails for another reason than a lock does not run again', async (t) => {
  let attempts = 0
  await t.rejects(whenFree(() => {
    attempts++
    throw sqliteError('SQLITE_IOERR')
  }, Infinity), { code: 'SQLITE_IOERR' })
  t.equal(attempts, 1)
})
