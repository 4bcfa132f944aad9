import { EntitySchema } from 'typeorm'
import { Lines, Orders as onPostgres } from '../typeorm/orders-schema.js'

const { options } = onPostgres

/** The model, whose version is a text here. */
export const Orders: typeof onPostgres = new EntitySchema({
  ...options,
  columns: { ...options.columns, rowVersion: { ...options.columns.rowVersion!, type: 'text' } }
})

export { Lines }
