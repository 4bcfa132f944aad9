import t from 'tap'
import { createStorage } from '../../../example/storage/index.js'
import { ABSENT } from '../../support/expectations.js'
import { fileOf } from '../../support/sqlite/handles.js'

await t.test('each setting makes a storage that works, and closes its file', async (t) => {
  for (const setting of ['memory:', `sqlite:${fileOf(t)}`, `sqlite:${fileOf(t)}.d/new/offers.db`]) {
    const storage = await createStorage(setting)
    await storage.open?.()
    t.match(await storage.write('/a', 1, ABSENT), { applied: true })
    t.match(await storage.read('/a'), { value: 1 })
    await storage.close?.()
    t.match(
      await storage.list?.('/').catch((error) => error),
      setting === 'memory:' ? { items: [{ key: '/a' }] } : { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE' }
    )
  }
})

await t.test('an address of another form is refused, without its value', async (t) => {
  for (const [setting, form] of [
    ['memory:hush', '"memory:"'],
    ['sqlite:', '"sqlite:<file>"'],
    ['sqlite::memory:', '"sqlite:<file>"'],
    ['sqlite:/dev/null/hush', 'a file that cannot be opened']
  ] as const) {
    const error = await createStorage(setting).then(() => undefined, (error: Error) => error)
    t.ok(error?.message.startsWith('STORAGE ') && error.message.includes(form), setting)
    t.notMatch(error?.message, /hush/)
  }
})
