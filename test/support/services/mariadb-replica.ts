import mysql, { type RowDataPacket } from 'mysql2/promise'
import { startMariadb } from './mariadb.js'
import type { Owner, Service } from './service.js'

/** A primary, and a replica that follows it and is read only. */
export interface Replicated {
  readonly primary: Service
  readonly replica: Service
  /** Stops the replica: what the primary writes from now on does not even arrive. */
  hold: () => Promise<void>
  /** Resolves once the replica has what the primary has. */
  catchUp: () => Promise<void>
  /** Makes the replica a primary, which has what had arrived. */
  promote: () => Promise<void>
}

/** Starts a primary and its replica, each a MariaDB with an empty database `test`. The settings are those of both. */
export async function startReplicated (t: Owner, settings: Record<string, string> = {}): Promise<Replicated> {
  const primary = await startMariadb(t, { settings: { 'server-id': '1', 'log-bin': 'binlog', ...settings } })
  // A user with SUPER could write all the same, and `root` has it: the user of the tests has not.
  const replica = await startMariadb(t, { settings: { 'server-id': '2', 'read-only': '1', ...settings } })
  const { port } = new URL(primary.url)
  await ask(
    replica,
    `CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT=${port}, MASTER_USER='root', MASTER_USE_GTID=slave_pos`,
    'START SLAVE'
  )
  // Behind it: with semi-synchronous replication the primary waits until the replica has it.
  await ask(primary, "CREATE USER app@'127.0.0.1'", "GRANT ALL ON test.* TO app@'127.0.0.1'")
  const catchUp = async (): Promise<void> => {
    await ask(replica, 'START SLAVE')
    const [written] = await ask(primary, 'SELECT @@gtid_current_pos AS position')
    // 0: it is there. -1: the time is over.
    const [reached] = await ask(replica, `SELECT MASTER_GTID_WAIT('${String(written?.['position'])}', 30) AS answer`)
    if (reached?.['answer'] !== 0) throw new Error('The replica does not catch up.')
  }
  await catchUp()
  return {
    primary,
    replica,
    hold: async () => { await ask(replica, 'STOP SLAVE') },
    catchUp,
    promote: async () => { await ask(replica, 'STOP SLAVE', 'SET GLOBAL read_only = 0') }
  }
}

/** The rows of the last statement. */
async function ask (service: Service, ...statements: string[]): Promise<RowDataPacket[]> {
  const connection = await mysql.createConnection(service.url)
  try {
    let rows: RowDataPacket[] = []
    for (const statement of statements) [rows] = await connection.query<RowDataPacket[]>(statement)
    return rows
  } finally {
    connection.destroy()
  }
}
