import { EntitySchema, In, type DataSource, type EntityManager } from 'typeorm'
import type { StorageAdapter } from 'fastify-if-match/storage'
import { sqliteFault, statementsAdapter, type Mapping, type Row } from 'fastify-if-match/storage/statements'
import type { Offer } from '../offer.js'

export const Offers = new EntitySchema<Row<Offer> & { id: string, updatedAt: Date }>({
  name: 'offers',
  columns: {
    id: { type: 'text', primary: true },
    title: { type: 'text' },
    price: { type: 'integer' },
    published: { type: 'boolean' },
    updatedAt: { type: 'datetime', name: 'updated_at', updateDate: true },
    version: { type: 'text' },                            // not `version: true`: that is a counter
    replaced: { type: 'text', nullable: true },
    digest: { type: 'text', nullable: true }
  }
})

const isRow = (id: string, versions?: readonly string[]) => ({ id, ...versions && { version: In(versions) } })

export function offersAdapter<T> (dataSource: DataSource, mapping: Mapping<T, Offer>): StorageAdapter<T> {
  return statementsAdapter({
    ...mapping,
    client: dataSource.manager,
    read: async (client, id) => await client.findOneBy(Offers, isRow(id)),
    async update (client, id, row, versions) {
      const { affected } = await client.update(Offers, isRow(id, versions), { ...row, replaced: () => 'version' })
      return affected!
    },
    async insert (client: EntityManager, id, row) {
      const entity = { id, ...row }
      // Named, because TypeORM leaves an id out that the database can make: the row would get another one.
      const columns = dataSource.getMetadata(Offers).columns
        .filter((column) => column.getEntityValue(entity) !== undefined)
        .map((column) => column.propertyPath)
      const insert = client.createQueryBuilder().insert().into(Offers, columns).values(entity).orUpdate([], ['id'])
      const [sql, values] = insert.getQueryAndParameters()
      return (await client.query<unknown[]>(`${sql} RETURNING id`, values)).length
    },
    async remove (client, id, versions) {
      const { affected } = await client.delete(Offers, isRow(id, versions))
      return affected!
    },
    faultOf: sqliteFault
  })
}
