import type Database from 'better-sqlite3'
import { keyPattern, wholeNumber } from 'fastify-if-match'
import type { StorageAdapter } from 'fastify-if-match/storage'
import { sqliteFault, statementsAdapter, type Row } from 'fastify-if-match/storage/statements'
import { order } from './orders.js'

export const TABLES = `
  CREATE TABLE orders (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    title    TEXT NOT NULL,
    version  TEXT NOT NULL DEFAULT (lower(hex(randomblob(12)))),
    replaced TEXT,
    digest   TEXT
  ) STRICT;
  CREATE TABLE lines (
    "order"  INTEGER NOT NULL,
    line     INTEGER NOT NULL,
    product  TEXT NOT NULL,
    version  TEXT NOT NULL,
    replaced TEXT,
    digest   TEXT,
    PRIMARY KEY ("order", line)
  ) STRICT;`

interface Order { title: string }
interface Line { product: string }

const IS_EXPECTED = '(@versions IS NULL OR version IN (SELECT value FROM json_each(@versions)))'

// Without `insert`: the database makes the ids, and no PUT creates a row.
export function ordersAdapter (database: Database.Database): StorageAdapter<Order> {
  return statementsAdapter({
    client: database,
    toId: order.parse,
    toColumns: ({ title }: Order) => ({ title }),
    toValue: ({ title }) => ({ title }),
    read: (db, id) => db.prepare<object, Row<Order>>('SELECT * FROM orders WHERE id = @id').get(id),
    update: (db, id, row, versions) => db.prepare(`
      UPDATE orders SET title = @title, version = @version, replaced = version, digest = @digest
      WHERE id = @id AND ${IS_EXPECTED}`).run({ ...id, ...row, versions: json(versions) }).changes,
    remove: (db, id, versions) => db.prepare(`DELETE FROM orders WHERE id = @id AND ${IS_EXPECTED}`)
      .run({ ...id, versions: json(versions) }).changes,
    faultOf: sqliteFault
  })
}

const line = keyPattern('/orders/:order/lines/:line', { order: wholeNumber, line: wholeNumber })

export function linesAdapter (database: Database.Database): StorageAdapter<Line> {
  const isRow = '"order" = @order AND line = @line'
  return statementsAdapter({
    client: database,
    toId: line.parse,
    toColumns: ({ product }: Line) => ({ product }),
    toValue: ({ product }) => ({ product }),
    read: (db, id) => db.prepare<object, Row<Line>>(`SELECT * FROM lines WHERE ${isRow}`).get(id),
    update: (db, id, row, versions) => db.prepare(`
      UPDATE lines SET product = @product, version = @version, replaced = version, digest = @digest
      WHERE ${isRow} AND ${IS_EXPECTED}`).run({ ...id, ...row, versions: json(versions) }).changes,
    insert: (db, id, row) => db.prepare(`
      INSERT INTO lines ("order", line, product, version, digest) VALUES (@order, @line, @product, @version, @digest)
      ON CONFLICT ("order", line) DO NOTHING`).run({ ...id, ...row }).changes,
    remove: (db, id, versions) => db.prepare(`DELETE FROM lines WHERE ${isRow} AND ${IS_EXPECTED}`)
      .run({ ...id, versions: json(versions) }).changes,
    faultOf: sqliteFault
  })
}

// Null: any version fits.
function json (versions: readonly string[] | undefined): string | null {
  return versions === undefined ? null : JSON.stringify(versions)
}
