import { readFileSync } from 'node:fs'
import Database from 'better-sqlite3'
import t from 'tap'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { sqliteAdapter } from 'fastify-if-match/storage/sqlite'
import { fileOf } from '../support/sqlite/handles.js'
import { copyEntities } from './copy-entities.js'

const ANY = { kind: 'any' } as const

await t.test('guide: the code that moves entities is what is type-checked and run here', (t) => {
  const blocks = readFileSync('docs/guides/choosing-an-adapter.md', 'utf8').split(/^```\w*\n/m)
  t.ok(blocks.includes(readFileSync('test/docs/copy-entities.ts', 'utf8')))
  t.end()
})

await t.test('guide: all entities move, over pages; what is there already stays as it is, so that a copy can be begun again', async (t) => {
  const from = memoryAdapter()
  const database = new Database(fileOf(t))
  const to = sqliteAdapter({ database })
  await to.open?.()
  t.teardown(async () => {
    await to.close?.()
    database.close()
  })
  for (let at = 0; at < 250; at++) await from.write(`/offers/${at}`, { at }, ANY, { digest: `d${at}` })
  await from.write('/plans/1', {}, ANY)
  await to.write('/offers/7', 'newer', ANY)
  await copyEntities(from, to, '/offers/')
  const { version } = (await to.read('/offers/8'))!
  await copyEntities(from, to)
  t.match(await to.read('/offers/249'), { value: { at: 249 }, digest: 'd249' })
  t.match(await to.read('/offers/7'), { value: 'newer' })
  t.match(await to.read('/plans/1'), { value: {} })
  t.equal((await to.read('/offers/8'))?.version, version)
  t.not(version, (await from.read('/offers/8'))?.version, 'tags of the old store are refused')
})
