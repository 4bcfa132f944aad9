import pg from 'pg'
import type { HandStore } from './by-hand.js'

interface Row { version: string, json: string }

const SCHEMA = `
  DROP TABLE IF EXISTS bench_hand;
  CREATE TABLE bench_hand (id text PRIMARY KEY, version bigint NOT NULL, json text NOT NULL)`
const READ = 'SELECT version, json FROM bench_hand WHERE id = $1'
const UPDATE = 'UPDATE bench_hand SET version = version + 1, json = $2 WHERE id = $1 AND version = $3 RETURNING version'
const PUT = 'INSERT INTO bench_hand VALUES ($1, 1, $2) ' +
  'ON CONFLICT (id) DO UPDATE SET version = bench_hand.version + 1, json = excluded.json RETURNING version'

/** One `UPDATE … AND version = …` for each write, through a pool of pg. */
export async function postgresByHand (url: string): Promise<HandStore> {
  const pool = new pg.Pool({ connectionString: url })
  await pool.query(SCHEMA)
  return {
    async read (id) {
      return (await pool.query<Row>(READ, [id])).rows[0]
    },
    async write (id, json, version) {
      const { rows: [row] } = version === undefined
        ? await pool.query<Row>(PUT, [id, json])
        : await pool.query<Row>(UPDATE, [id, json, version])
      return row?.version
    },
    async close () { await pool.end() }
  }
}
