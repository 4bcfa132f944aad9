import Database from 'better-sqlite3'
import t from 'tap'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { sqliteAdapter } from 'fastify-if-match/storage/sqlite'
import { ANY } from '../support/expectations.js'
import { fileOf } from '../support/sqlite/handles.js'
import { copyEntities } from './copy-entities.js'

await t.test('guide: all entities move, over pages; an entity that is there already stays, so a copy can be begun again', async (t) => {
  const from = memoryAdapter()
  const database = new Database(fileOf(t))
  const to = sqliteAdapter({ database })
  await to.open?.()
  t.teardown(async () => {
    await to.close?.()
    database.close()
  })
  for (let index = 0; index < 250; index++) {
    await from.write(`/offers/${index}`, { index }, ANY, { digest: `d${index}` })
  }
  await from.write('/plans/1', {}, ANY)
  await to.write('/offers/7', 'newer', ANY)
  await copyEntities(from, to, '/offers/')
  const { version } = (await to.read('/offers/8'))!
  await copyEntities(from, to)
  t.match(await to.read('/offers/249'), { value: { index: 249 }, digest: 'd249' })
  t.match(await to.read('/offers/7'), { value: 'newer' })
  t.match(await to.read('/plans/1'), { value: {} })
  t.equal((await to.read('/offers/8'))?.version, version)
  t.not(version, (await from.read('/offers/8'))?.version, 'tags of the old store are refused')
})
