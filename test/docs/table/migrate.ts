import { migration } from 'fastify-if-match/storage/table'

export const statements = migration({
  dialect: 'sqlite',                                      // or 'postgres', or 'mysql', which is MariaDB, too
  table: 'orders',
  id: 'id',
  version: 'row_version',
  replaced: 'replaced',                                   // both for a request that is sent again, see below
  digest: 'digest',
  children: [{ table: 'order_lines', references: 'order_id' }]
})

console.log(statements.map((sql) => `${sql};`).join('\n'))
