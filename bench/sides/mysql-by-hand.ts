import { createPool, type ResultSetHeader, type RowDataPacket } from 'mysql2/promise'
import type { HandStore } from './by-hand.js'

const SCHEMA = [
  'DROP TABLE IF EXISTS bench_hand',
  `CREATE TABLE bench_hand (id VARCHAR(255) PRIMARY KEY, version BIGINT NOT NULL, json LONGTEXT NOT NULL)
    CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`
]
const READ = 'SELECT version, json FROM bench_hand WHERE id = ?'
// LAST_INSERT_ID tells the new version without another statement.
const UPDATE = 'UPDATE bench_hand SET version = LAST_INSERT_ID(version + 1), json = ? WHERE id = ? AND version = ?'
const PUT = 'INSERT INTO bench_hand VALUES (?, LAST_INSERT_ID(1), ?) ' +
  'ON DUPLICATE KEY UPDATE version = LAST_INSERT_ID(version + 1), json = VALUES(json)'

/** One `UPDATE … AND version = …` for each write, through a pool of mysql2. */
export async function mysqlByHand (url: string): Promise<HandStore> {
  const pool = createPool({ uri: url, connectionLimit: 10 })
  for (const statement of SCHEMA) await pool.query(statement)
  return {
    async read (id) {
      const [[row]] = await pool.query<RowDataPacket[]>(READ, [id])
      return row && { version: String(row['version']), json: row['json'] as string }
    },
    async write (id, json, version) {
      const [{ affectedRows, insertId }] = version === undefined
        ? await pool.query<ResultSetHeader>(PUT, [id, json])
        : await pool.query<ResultSetHeader>(UPDATE, [json, id, version])
      return affectedRows === 0 ? undefined : String(insertId)
    },
    async close () { await pool.end() }
  }
}
