import { EntitySchema, In, type DataSource, type EntityManager } from 'typeorm'
import type { StorageAdapter } from 'fastify-if-match'
import { sqliteFault, statementsAdapter, type Mapping, type Row } from 'fastify-if-match/storage/statements'
import type { Offer } from './offer.js'

export const Offers = new EntitySchema<Row<Offer> & { id: string, updatedAt: Date }>({
  name: 'offers',
  columns: {
    id: { type: 'text', primary: true },
    title: { type: 'text' },
    price: { type: 'integer' },
    published: { type: 'boolean' },
    updatedAt: { type: 'datetime', name: 'updated_at', updateDate: true },
    version: { type: 'text' },                            // not `version: true`, which is a counter
    replaced: { type: 'text', nullable: true },
    digest: { type: 'text', nullable: true }
  }
})

export function typeormAdapter<T> (dataSource: DataSource, mapping: Mapping<T, Offer>): StorageAdapter<T> {
  const where = (id: string, versions?: readonly string[]) => ({ id, ...versions && { version: In(versions) } })
  return statementsAdapter({
    ...mapping,
    client: dataSource.manager,
    read: async (on, id) => await on.findOneBy(Offers, where(id)),
    update: async (on, id, row, versions) =>
      (await on.update(Offers, where(id, versions), { ...row, replaced: () => 'version' })).affected!,
    async insert (on: EntityManager, id, row) {
      const [sql, values] = on
        .createQueryBuilder()
        .insert()
        .into(Offers)
        .values({ id, ...row })
        .orUpdate([], ['id'])
        .getQueryAndParameters()
      return (await on.query<unknown[]>(`${sql} RETURNING id`, values)).length
    },
    remove: async (on, id, versions) => (await on.delete(Offers, where(id, versions))).affected!,
    faultOf: sqliteFault
  })
}
