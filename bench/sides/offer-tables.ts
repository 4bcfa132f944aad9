import pg from 'pg'

// An offer of an app in two tables, and the statements that both sides of a transaction run.

const SCHEMA = `
  DROP TABLE IF EXISTS bench_parts, bench_offers;
  CREATE TABLE bench_offers (id text PRIMARY KEY, body text NOT NULL, row_version bigint NOT NULL DEFAULT 1);
  CREATE TABLE bench_parts (offer text NOT NULL REFERENCES bench_offers, name text NOT NULL, PRIMARY KEY (offer, name))`

export const READ = 'SELECT row_version AS version, body FROM bench_offers WHERE id = $1'
export const VERSION = 'SELECT row_version FROM bench_offers WHERE id = $1'
export const LOCK = `${VERSION} FOR UPDATE`

export async function newPool (url: string): Promise<pg.Pool> {
  const pool = new pg.Pool({ connectionString: url, max: 10 })
  await pool.query(SCHEMA)
  return pool
}

/** What both sides do inside their transaction. */
export async function save (tx: pg.PoolClient, id: string, body: object): Promise<void> {
  await tx.query(
    'INSERT INTO bench_offers (id, body) VALUES ($1, $2) ' +
      'ON CONFLICT (id) DO UPDATE SET body = excluded.body, row_version = bench_offers.row_version + 1',
    [id, JSON.stringify(body)]
  )
  await tx.query('DELETE FROM bench_parts WHERE offer = $1', [id])
  await tx.query('INSERT INTO bench_parts SELECT $1, unnest($2::text[])', [id, Object.keys(body)])
}
