import t, { type Test } from 'tap'
import { EntitySchema } from 'typeorm'
import { ABSENT, EXISTS } from '../../test/support/expectations.js'
import { create, KEY, wave } from '../../test/support/table/table.js'
import { offer } from '../offer.js'
import { Offers, offersAdapter } from './offers-adapter.js'
import { newFile, sourceOf, sourceOn } from './source.js'

// Shows the traps of TypeORM that the guide names. If a later version behaves otherwise, the guide has to change.

async function open (t: Test) {
  const { file, other } = newFile(t)
  const source = await sourceOn(t, file)
  return { file, other, source, adapter: offersAdapter(source, offer) }
}

await t.test('save() reads, then writes by the id alone: the change of another is lost, and an old tag fits again', async (t) => {
  const { other, source, adapter } = await open(t)
  await create(adapter)
  const mine = await source.manager.findOneByOrFail(Offers, { id: 'wave' })
  other.exec("UPDATE offers SET title = 'Theirs'")
  const sent: string[] = []
  source.subscribers.push({ beforeQuery: ({ query }) => { sent.push(query) } })
  await source.manager.save(Offers, { ...mine, title: 'Mine' })
  t.match(sent.at(0), /^SELECT/)
  t.match(sent.find((sql) => sql.startsWith('UPDATE')), /WHERE "id" = \?$/)
  t.match(await adapter.read(KEY), { value: { title: 'Mine' }, version: mine.version })
})

await t.test('a version column is a counter, and after delete and create an old tag fits the new row', async (t) => {
  const Counted = new EntitySchema<{ id: string, title: string, version: number }>({
    name: 'counted',
    columns: {
      id: { type: 'text', primary: true },
      title: { type: 'text' },
      version: { type: 'integer', version: true }
    }
  })
  const counted = (await sourceOf(t, Counted)).getRepository(Counted)
  const { version } = await counted.save({ id: 'wave', title: 'Wave' })
  await counted.delete({ id: 'wave' })
  await counted.save({ id: 'wave', title: 'Another' })
  t.equal((await counted.update({ id: 'wave', version }, { title: 'Lost' })).affected, 1)
})

await t.test('the result of an insert that met a row looks like that of one that did not, and orIgnore() passes over other constraints', async (t) => {
  const { other, source, adapter } = await open(t)
  const insert = (id: string) => {
    const insert = source.createQueryBuilder().insert().into(Offers)
    return insert.values({ id, ...wave, version: 'v' }).updateEntity(false)
  }
  const first = await insert('wave').orUpdate([], ['id']).execute()
  t.strictSame(await insert('wave').orUpdate([], ['id']).execute(), first)
  other.exec('CREATE UNIQUE INDEX titles ON offers (title)')
  await insert('same-title').orIgnore().execute()
  t.equal(await source.manager.count(Offers), 1, 'no row, and no error')
  await t.rejects(adapter.write('/offers/same-title', wave, ABSENT), { code: 'FST_IF_MATCH_CONSTRAINT' })
})

await t.test('a source has one connection, and what others write during a transaction goes with its rollback', async (t) => {
  const { source, adapter } = await open(t)
  await t.rejects(source.transaction(async () => {
    t.ok(await create(adapter), 'acknowledged')
    throw new Error('rolled back')
  }), { message: 'rolled back' })
  t.equal(await adapter.read(KEY), undefined)
})

await t.test('with a source for transactions, a write of another meanwhile is UNAVAILABLE, and nothing is lost', async (t) => {
  const { file, adapter } = await open(t)
  const transactions = await sourceOn(t, file)
  const version = await create(adapter)
  await transactions.transaction(async (client) => {
    await adapter.write(KEY, { ...wave, title: 'inside' }, EXISTS, { context: { client } })
    await t.rejects(adapter.write(KEY, wave, EXISTS), { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE' })
    t.match(await adapter.read(KEY), { version }, 'a reader sees what is committed')
  })
  t.match(await adapter.read(KEY), { value: { title: 'inside' }, replaced: version })
})

await t.test('transformers and JSON columns work in the statements of the adapter; subscribers see an update without its row, and no insert', async (t) => {
  const Notes = new EntitySchema<{ id: string, tags: string[], length: number }>({
    name: 'notes',
    columns: {
      id: { type: 'text', primary: true },
      tags: { type: 'simple-json' },
      length: { type: 'text', transformer: { to: (n: number) => `${n} cm`, from: (text: string) => parseInt(text) } }
    }
  })
  const source = await sourceOf(t, Notes)
  const seen: unknown[] = []
  source.subscribers.push({
    beforeInsert: () => { seen.push('insert') },
    beforeUpdate: ({ databaseEntity }) => { seen.push(databaseEntity) }
  })
  const insert = source.createQueryBuilder().insert().into(Notes).values({ id: 'a', tags: ['x'], length: 5 })
  const [sql, values] = insert.orUpdate([], ['id']).getQueryAndParameters()
  t.strictSame(await source.query(`${sql} RETURNING id`, values), [{ id: 'a' }])
  t.strictSame(await source.manager.findOneBy(Notes, { id: 'a' }), { id: 'a', tags: ['x'], length: 5 })
  t.equal((await source.manager.update(Notes, { id: 'a' }, { tags: ['y', 'z'], length: 6 })).affected, 1)
  t.strictSame(await source.manager.findOneBy(Notes, { id: 'a' }), { id: 'a', tags: ['y', 'z'], length: 6 })
  t.strictSame(await source.query('SELECT * FROM notes'), [{ id: 'a', tags: '["y","z"]', length: '6 cm' }])
  t.strictSame(seen, [undefined])
})
