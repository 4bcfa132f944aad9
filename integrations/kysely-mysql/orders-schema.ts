export * from '../kysely/orders-schema.js'
