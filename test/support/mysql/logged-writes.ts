import { rowsOf, type Pool } from './drivers.js'

/** A second table, in which triggers log each value that is written. Gives the values so far, in order. */
export async function loggedWrites (client: Pool, table: string): Promise<() => Promise<unknown[]>> {
  await client.query(`CREATE TABLE ${table}_log (n bigint AUTO_INCREMENT PRIMARY KEY, value longtext)`)
  for (const event of ['INSERT', 'UPDATE']) {
    await client.query(
      `CREATE TRIGGER ${table}_${event} AFTER ${event} ON ${table} FOR EACH ROW ` +
        `INSERT INTO ${table}_log (value) VALUES (NEW.value)`
    )
  }
  return async () => {
    const rows = rowsOf(await client.query(`SELECT value FROM ${table}_log ORDER BY n`))
    return rows.map(({ value }) => JSON.parse(String(value)))
  }
}
