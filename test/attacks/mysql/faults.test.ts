import { inspect } from 'node:util'
import t, { type Test } from 'tap'
import { faultKind, type MysqlFault } from '../../../lib/storage/mysql/faults.js'
import { mysqlFault } from '../../../lib/storage/statements/index.js'
import { driversOf, rowsOf, type Connection, type Driver } from '../../support/mysql/drivers.js'
import { startMariadb } from '../../support/services/mariadb.js'
import { skipWithoutOwn } from '../../support/services/programs.js'
import { until } from '../../support/until.js'

const SCHEMA = [
  'CREATE TABLE parent (id int PRIMARY KEY)',
  `CREATE TABLE row_of (
    id int PRIMARY KEY, n int NOT NULL DEFAULT 0, title varchar(10) UNIQUE, tiny tinyint, kind enum('a','b'), day date,
    parent int, document json, generated int AS (n + 1) STORED, CONSTRAINT tiny_small CHECK (tiny < 100),
    CONSTRAINT row_parent FOREIGN KEY (parent) REFERENCES parent (id))`,
  'CREATE TABLE strict_one (id int PRIMARY KEY, needed int NOT NULL)',
  `CREATE TRIGGER unlucky BEFORE INSERT ON strict_one FOR EACH ROW
    IF NEW.needed = 13 THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'secret'; END IF`,
  'CREATE TABLE parted (id int PRIMARY KEY) PARTITION BY RANGE (id) (PARTITION low VALUES LESS THAN (10))',
  'CREATE VIEW small AS SELECT id, n FROM row_of WHERE n < 10 WITH CHECK OPTION',
  'CREATE TABLE full_one (a char(200)) ENGINE = MEMORY MAX_ROWS = 10',
  'CREATE USER app@127.0.0.1', 'GRANT ALL ON test.* TO app@127.0.0.1',
  'CREATE USER single@127.0.0.1 WITH MAX_USER_CONNECTIONS 1', 'GRANT ALL ON test.* TO single@127.0.0.1',
  'INSERT INTO parent VALUES (1)', "INSERT INTO row_of (id, title, parent) VALUES (1, 'secret', 1), (2, 'other', NULL)"
]

// Statements that fail by themselves: the number, the kind, the constraint.
const FAILING: Array<[number: number, kind: MysqlFault, sql: string, values?: unknown[], constraint?: string]> = [
  [1062, 'CONSTRAINT', 'INSERT INTO row_of (id, title) VALUES (3, ?)', ['secret'], 'title'],
  [1062, 'CONSTRAINT', 'INSERT INTO row_of (id) VALUES (1)', [], 'PRIMARY'],
  [1451, 'CONSTRAINT', 'DELETE FROM parent WHERE id = 1', [], 'row_parent'],
  [1452, 'CONSTRAINT', 'INSERT INTO row_of (id, parent) VALUES (3, 99)', [], 'row_parent'],
  [4025, 'ROW', 'INSERT INTO row_of (id, tiny) VALUES (3, 101)', [], 'tiny_small'],
  [4025, 'ROW', 'INSERT INTO row_of (id, document) VALUES (3, ?)', ['{secret'], 'row_of.document'],
  [1048, 'ROW', 'INSERT INTO row_of (id, n) VALUES (3, ?)', [null]],
  [1406, 'ROW', 'INSERT INTO row_of (id, title) VALUES (3, ?)', ['a secret that is long']],
  [1264, 'ROW', 'INSERT INTO row_of (id, tiny) VALUES (3, ?)', [4000]],
  [1366, 'ROW', 'INSERT INTO row_of (id, n) VALUES (3, ?)', ['secret']],
  [1292, 'ROW', 'INSERT INTO row_of (id, day) VALUES (3, ?)', ['secret']],
  [1265, 'ROW', 'INSERT INTO row_of (id, kind) VALUES (3, ?)', ['secret']],
  [1690, 'ROW', 'UPDATE row_of SET n = CAST(0 AS UNSIGNED) - 1 WHERE id = 1'],
  [1365, 'ROW', 'UPDATE row_of SET n = 1 / 0 WHERE id = 1'],
  [1369, 'ROW', 'UPDATE small SET n = 100 WHERE id = 1'],
  [1526, 'ROW', 'INSERT INTO parted VALUES (100)'],
  [1644, 'ROW', 'INSERT INTO strict_one VALUES (1, 13)'],
  [1364, 'MISTAKE', 'INSERT INTO strict_one (id) VALUES (1)'],
  [1906, 'MISTAKE', 'INSERT INTO row_of (id, generated) VALUES (3, 5)'],
  [1146, 'MISTAKE', 'SELECT * FROM nowhere'],
  [1054, 'MISTAKE', 'SELECT nothing FROM row_of'],
  [1064, 'MISTAKE', 'SELEC 1'],
  [1136, 'MISTAKE', 'INSERT INTO parent VALUES (1, 2)'],
  [1110, 'MISTAKE', 'INSERT INTO parent (id, id) VALUES (1, 1)'],
  [1052, 'MISTAKE', 'SELECT id FROM row_of JOIN parent ON true'],
  [1242, 'MISTAKE', 'SELECT (SELECT id FROM row_of)'],
  [1305, 'MISTAKE', 'SELECT nothing()'],
  [1210, 'MISTAKE', 'SELECT ?, ?', [1]],
  [1114, 'NOT_APPLIED', "INSERT INTO full_one SELECT repeat('x', 200) FROM seq_1_to_100000"]
]

const thrownBy = async (failing: Promise<unknown>): Promise<Record<string, unknown>> =>
  await failing.then(() => { throw new Error('it did not fail') }, (error: Record<string, unknown>) => error)

/** What both drivers have of an error, and that nothing of the content gets into the log. */
function assertTold (t: Test, error: unknown, number: number | undefined, kind: MysqlFault, constraint?: string): void {
  const { errno } = error as { errno?: unknown }
  t.strictSame([number === undefined ? undefined : errno, faultKind(error)], [number, kind], inspect(error))
  const fault = mysqlFault(error)
  if (kind === 'UNKNOWN') t.equal(fault, undefined)
  else t.equal((fault?.cause as { constraint?: string }).constraint, constraint)
  t.notMatch(inspect(fault, { depth: 9 }), /secret/)
}

await t.test('mysql: each error, provoked', { skip: skipWithoutOwn('mysql') }, async (t) => {
  const service = await startMariadb(t, { own: true })
  const drivers = driversOf(service.url)
  const root = await drivers[1]!.connect(t)
  for (const sql of SCHEMA) await root.query(sql)

  /** Until a statement waits for a lock. */
  const untilWaiting = async (): Promise<void> => {
    // Not information_schema.innodb_trx, which stays as it was: engine-facts#mariadb-innodb-trx-cache
    const waits = "SHOW GLOBAL STATUS LIKE 'Innodb_row_lock_current_waits'"
    await until('a statement waits', async () => rowsOf(await root.query(waits))[0]!['Value'] === '1')
  }

  async function withTwo (t: Test, { connect }: Driver): Promise<[Connection, Connection]> {
    const [one, other] = [await connect(t), await connect(t)]
    await other.query('BEGIN')
    await other.query('UPDATE row_of SET n = n + 1 WHERE id = 1')
    t.teardown(async () => { await other.query('ROLLBACK') })
    return [one, other]
  }

  for (const driver of drivers) {
    const { name, connect, pool } = driver

    await t.test(`${name}: a statement that fails by itself`, async (t) => {
      const connection = await connect(t)
      for (const [number, kind, sql, values, constraint] of FAILING) {
        assertTold(t, await thrownBy(connection.execute(sql, values)), number, kind, constraint)
      }
      // As mysql2 sends it here, with the value in the text of the statement.
      const error = await thrownBy(connection.query('INSERT INTO row_of (id, title) VALUES (3, ?)', ['secret']))
      assertTold(t, error, 1062, 'CONSTRAINT', 'title')
    })

    await t.test(`${name}: a lock that is not free: 1205 rolls back the statement alone, also for NOWAIT`, async (t) => {
      const [one] = await withTwo(t, driver)
      await one.query('SET innodb_lock_wait_timeout = 1')
      await one.query('BEGIN')
      await one.query('UPDATE row_of SET n = 7 WHERE id = 2')
      assertTold(t, await thrownBy(one.execute('UPDATE row_of SET n = 0 WHERE id = 1')), 1205, 'LOCKED')
      assertTold(t, await thrownBy(one.query('SELECT * FROM row_of WHERE id = 1 FOR UPDATE NOWAIT')), 1205, 'LOCKED')
      t.match(inspect(await one.query('SELECT n FROM row_of WHERE id = 2')), /n: 7/, 'the transaction goes on')
      await one.query('ROLLBACK')
    })

    await t.test(`${name}: a deadlock rolls the transaction back, and what follows on the connection is outside of one`, async (t) => {
      const [one, other] = await withTwo(t, driver)
      await one.query('BEGIN')
      await one.query('UPDATE row_of SET n = 7 WHERE id = 2')
      const waits = one.execute('UPDATE row_of SET n = 7 WHERE id = 1')
      await untilWaiting()
      const meets = other.execute('UPDATE row_of SET n = n + 1 WHERE id = 2')
      const errorOf = (end: Promise<unknown>) => end.then(() => undefined, (error: unknown) => error)
      const [ofOne, ofOther] = await Promise.all([errorOf(waits), errorOf(meets)])
      const [victim, winner] = ofOne === undefined ? [other, one] : [one, other]
      assertTold(t, ofOne ?? ofOther, 1213, 'RETRY')
      await winner.query('ROLLBACK')
      await victim.query("INSERT INTO row_of (id, title) VALUES (50, 'stays')")
      await victim.query('ROLLBACK')
      t.match(inspect(await root.query('SELECT title FROM row_of WHERE id = 50')), /stays/)
      await root.query('DELETE FROM row_of WHERE id = 50')
    })

    await t.test(`${name}: with innodb_snapshot_isolation a row that changed since the snapshot is 1020, and rolls the transaction back`, async (t) => {
      const connection = await connect(t)
      await connection.query('SET innodb_snapshot_isolation = 1')
      await connection.query('BEGIN')
      await connection.query('SELECT * FROM row_of')
      await root.query('UPDATE row_of SET n = n + 1 WHERE id = 1')
      assertTold(t, await thrownBy(connection.execute('UPDATE row_of SET n = 7 WHERE id = 1')), 1020, 'RETRY')
      t.match(inspect(await connection.query('SELECT @@in_transaction AS inside')), /inside: 0/)
    })

    await t.test(`${name}: a statement that is cancelled or takes too long left nothing`, async (t) => {
      const [one] = await withTwo(t, driver)
      const cancelled = thrownBy(one.execute('UPDATE row_of SET n = 7 WHERE id = 1'))
      await untilWaiting()
      await root.query(`KILL QUERY ${one.threadId}`)
      assertTold(t, await cancelled, 1317, 'CANCELLED')
      await one.query('SET max_statement_time = 0.1')
      assertTold(t, await thrownBy(one.execute('UPDATE row_of SET n = 7 WHERE id = 1')), 1969, 'CANCELLED')
    })

    await t.test(`${name}: a server or a transaction that is read only`, async (t) => {
      const app = await connect(t, { user: 'app' })
      await root.query('SET GLOBAL read_only = 1')
      assertTold(t, await thrownBy(app.execute('UPDATE row_of SET n = 7 WHERE id = 1')), 1290, 'NOT_APPLIED')
      await root.query('SET GLOBAL read_only = 0')
      await app.query('START TRANSACTION READ ONLY')
      assertTold(t, await thrownBy(app.execute('UPDATE row_of SET n = 7 WHERE id = 1')), 1792, 'NOT_APPLIED')
    })

    await t.test(`${name}: rights, passwords, databases, limits`, async (t) => {
      const app = await connect(t, { user: 'app' })
      assertTold(t, await thrownBy(app.execute('SELECT * FROM mysql.user')), 1142, 'MISTAKE')
      assertTold(t, await thrownBy(connect(t, { user: 'app', database: 'mysql' })), 1044, 'MISTAKE')
      assertTold(t, await thrownBy(connect(t, { database: 'nowhere' })), 1049, 'MISTAKE')
      assertTold(t, await thrownBy(connect(t, { user: 'app', password: 'wrong' })), 1045, 'NOT_APPLIED')
      const single = await connect(t, { user: 'single' })
      assertTold(t, await thrownBy(connect(t, { user: 'single' })), 1226, 'NOT_APPLIED')
      await single.end()
      await root.query('SET GLOBAL max_prepared_stmt_count = 0')
      assertTold(t, await thrownBy((await connect(t)).execute('SELECT 1 + 1')), 1461, 'NOT_APPLIED')
      await root.query('SET GLOBAL max_prepared_stmt_count = 16382')
      await root.query('SET GLOBAL max_connections = 10')
      assertTold(t, await thrownBy(Promise.all(Array.from({ length: 20 }, () => connect(t)))), 1040, 'NOT_APPLIED')
      await root.query('SET GLOBAL max_connections = 151')
    })

    await t.test(`${name}: a statement larger than max_allowed_packet is refused, and ends the connection`, async (t) => {
      await root.query('SET GLOBAL max_allowed_packet = 1048576')
      const connection = await connect(t)
      const values = [JSON.stringify('secret'.repeat(500_000))]
      const error = await thrownBy(connection.execute('UPDATE row_of SET document = ? WHERE id = 1', values))
      await root.query('SET GLOBAL max_allowed_packet = 16777216')
      // The server hangs up while the driver is still sending: its reset may overtake its answer.
      const isReset = ['ECONNRESET', 'EPIPE'].includes(String(Object(error).code))
      if (isReset) assertTold(t, error, undefined, 'UNKNOWN')
      else assertTold(t, error, 1153, 'ROW')
    })

    await t.test(`${name}: a connection that is killed, by KILL or with the server, leaves it open`, async (t) => {
      const [one] = await withTwo(t, driver)
      const killed = thrownBy(one.execute('UPDATE row_of SET n = 7 WHERE id = 1'))
      await untilWaiting()
      await root.query(`KILL ${one.threadId}`)
      assertTold(t, await killed, undefined, 'UNKNOWN')
      assertTold(t, await thrownBy(one.execute('SELECT 1')), undefined, 'NOT_APPLIED')
    })

    await t.test(`${name}: no connection: refused, no such host, a pool that is full or closed`, async (t) => {
      const own = name === 'mysql2' ? { waitForConnections: false } : { acquireTimeout: 100 }
      assertTold(t, await thrownBy(connect(t, { port: 1 })), undefined, 'NOT_APPLIED')
      assertTold(t, await thrownBy(connect(t, { host: 'nowhere.invalid' })), undefined, 'NOT_APPLIED')
      assertTold(t, await thrownBy(pool(t, { port: 1, ...own }).execute('SELECT 1')), undefined, 'NOT_APPLIED')
      const full = pool(t, { connectionLimit: 1, ...own })
      const held = await full.getConnection()
      assertTold(t, await thrownBy(full.execute('SELECT 1')), undefined, 'NOT_APPLIED')
      await held.release()
      await full.end()
      assertTold(t, await thrownBy(full.execute('SELECT 1')), undefined, 'NOT_APPLIED')
    })
  }

  await t.test('when the server is killed, both drivers leave it open', async (t) => {
    const connections = await Promise.all(drivers.map(async ({ connect }) => await connect(t)))
    const running = connections.map((connection) => thrownBy(connection.query('SELECT sleep(60)')))
    const sleeping = "SELECT 1 FROM information_schema.processlist WHERE info LIKE 'SELECT sleep%'"
    await until('both run', async () => rowsOf(await root.query(sleeping)).length === 2)
    await service.kill()
    for (const error of await Promise.all(running)) assertTold(t, error, undefined, 'UNKNOWN')
  })
})
