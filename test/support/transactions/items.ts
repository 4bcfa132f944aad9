import type pg from 'pg'
import type { Test } from 'tap'
import type { TransactionAdapter } from 'fastify-if-match'
import { pgTransaction, transactionsAdapter } from 'fastify-if-match/storage/transactions'
import { uniqueName } from '../services/service.js'

/**
 * Where what is known of the last write is kept.
 *
 * - `table`: in one of its own
 * - `columns`: in the row of the item, whose trigger leaves the version alone where `written` changes
 * - `any update`: in the row of the item, each change of which moves the version: what is kept holds for none
 */
export type LastWrites = 'table' | 'columns' | 'any update'

/**
 * A table of items with parts in a second one, on PostgreSQL. The version is random, and triggers of both tables move
 * it: an item that is removed and made again has another one.
 */
export function schemaOf (name: string, lastWrites: LastWrites = 'any update'): string {
  const token = "replace(gen_random_uuid()::text, '-', '')"
  return `
    CREATE TABLE ${name} (
      id text COLLATE "C" PRIMARY KEY, value json NOT NULL, version text NOT NULL DEFAULT ${token},
      written text, replaced text, digest text);
    CREATE TABLE ${name}_writes (
      id text COLLATE "C" PRIMARY KEY REFERENCES ${name} ON DELETE CASCADE,
      written text NOT NULL, replaced text, digest text);
    CREATE TABLE ${name}_parts (item text COLLATE "C" REFERENCES ${name} ON DELETE CASCADE, part text);
    CREATE FUNCTION ${name}_move() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      NEW.version = ${token};
      RETURN NEW;
    END $$;
    CREATE TRIGGER move BEFORE UPDATE ON ${name} FOR EACH ROW
      ${lastWrites === 'columns' ? 'WHEN (NEW.written IS NOT DISTINCT FROM OLD.written)' : ''}
      EXECUTE FUNCTION ${name}_move();
    CREATE FUNCTION ${name}_touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      UPDATE ${name} SET id = id WHERE id IN (OLD.item, NEW.item);
      RETURN NULL;
    END $$;
    CREATE TRIGGER touch AFTER INSERT OR UPDATE OR DELETE ON ${name}_parts
      FOR EACH ROW EXECUTE FUNCTION ${name}_touch()`
}

/** A new table, and the statements of an app on it. The work of a test writes parts through `addPart`. */
export async function itemsTable (t: Test, pool: pg.Pool, name = uniqueName(), lastWrites?: LastWrites) {
  await pool.query(schemaOf(name, lastWrites))
  t.teardown(async () => { await pool.query(`DROP TABLE ${name}_parts, ${name}_writes, ${name} CASCADE`) })
  const partsOf = async (id: string) => {
    const { rows } = await pool.query(`SELECT part FROM ${name}_parts WHERE item = $1 ORDER BY part`, [id])
    return rows.map(({ part }) => part)
  }
  return {
    name,
    partsOf,
    addPart: async (tx: pg.PoolClient | pg.Pool, id: string, part: string) =>
      await tx.query(`INSERT INTO ${name}_parts VALUES ($1, $2)`, [id, part])
  }
}

/** The adapter over such a table. A value is one JSON text, and has the parts that only tests write. */
export function itemsAdapter (
  pool: pg.Pool, name: string, begin?: string, lastWrites?: LastWrites
): TransactionAdapter<any> {
  const writes = lastWrites === 'table' ? 'w' : 'i'
  return transactionsAdapter<any, pg.Pool, pg.PoolClient>({
    client: pool,
    transaction: pgTransaction<pg.PoolClient>(pool, begin),
    toId: (key) => key,
    async version (tx, id) {
      const { rows } = await tx.query(`SELECT version FROM ${name} WHERE id = $1 FOR UPDATE`, [id])
      return rows[0]?.version
    },
    async read (client, id) {
      const { rows: [row] } = await client.query(
        `SELECT version, value::text, ${writes}.written, ${writes}.replaced, ${writes}.digest
         FROM ${name} i LEFT JOIN ${name}_writes w USING (id) WHERE id = $1`, [id])
      if (row === undefined) return undefined
      const lastWrite = { version: row.written, replaced: row.replaced, digest: row.digest }
      return { version: row.version, value: JSON.parse(row.value), lastWrite }
    },
    async save (tx, id, value, isNew) {
      await tx.query(isNew
        ? `INSERT INTO ${name} (id, value) VALUES ($1, $2)`
        : `UPDATE ${name} SET value = $2 WHERE id = $1`, [id, JSON.stringify(value)])
    },
    async remove (tx, id) {
      await tx.query(`DELETE FROM ${name} WHERE id = $1`, [id])
    },
    ...lastWrites !== undefined && {
      async saveLastWrite (tx, id, { version, replaced, digest }) {
        await tx.query(lastWrites === 'table'
          ? `INSERT INTO ${name}_writes VALUES ($1, $2, $3, $4)
             ON CONFLICT (id) DO UPDATE SET written = $2, replaced = $3, digest = $4`
          : `UPDATE ${name} SET written = $2, replaced = $3, digest = $4 WHERE id = $1`,
        [id, version, replaced, digest])
      }
    }
  })
}
