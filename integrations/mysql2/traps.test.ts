import mysql2, { type PoolConnection, type RowDataPacket } from 'mysql2/promise'
import { onMysql } from '../support/orders/mysql-trap-case.js'
import { connect } from './connect.js'

// Shows what the page says of mysql2. If a later version behaves otherwise, the page has to change.

await onMysql('mysql2', connect, undefined, async (t, _client, newOrder, { address, act }) => {
  const pool = mysql2.createPool(address)
  t.teardown(async () => { await pool.end() })

  const seen = async (level: string, sql: string): Promise<string[]> => {
    const id = await newOrder()
    const connection: PoolConnection = await pool.getConnection()
    const customer = async (end = ''): Promise<string> => {
      const [rows] = await connection.query<RowDataPacket[]>(`SELECT customer FROM orders WHERE id = ${id} ${end}`)
      return rows[0]!['customer']
    }
    await connection.query(`SET TRANSACTION ISOLATION LEVEL ${level}`)
    await connection.query('BEGIN')
    await connection.query('SELECT 1 FROM orders')
    await act(`UPDATE orders SET customer = 'New' WHERE id = ${id}`)
    const found = [await customer(sql), await customer()]
    await connection.query('ROLLBACK')
    connection.release()
    return found
  }

  await t.test('at REPEATABLE READ a lock is of the newest row, and a read behind it is of the first read of the transaction', async (t) => {
    t.strictSame(await seen('REPEATABLE READ', 'FOR UPDATE'), ['New', 'Wave'])
    t.strictSame(await seen('READ COMMITTED', 'FOR UPDATE'), ['New', 'New'])
  })

  await t.test('a statement that reads the orders cannot change their lines: the trigger is refused', async (t) => {
    const id = await newOrder()
    const join = `DELETE l FROM \`lines\` l JOIN orders o ON o.id = l.order_id WHERE o.id = ${id}`
    const copy = `INSERT INTO \`lines\` SELECT id, 99, 'plum', 1 FROM orders WHERE id = ${id}`
    for (const sql of [join, copy]) await t.rejects(pool.query(sql), { code: 'ER_CANT_UPDATE_USED_TABLE_IN_SF_OR_TRG' })
  })

  await t.test('REPLACE deletes the row first, and with it the lines', async (t) => {
    const id = await newOrder()
    await pool.query(`REPLACE INTO orders (id, customer) VALUES (${id}, 'Other')`)
    t.match(await pool.query(`SELECT count(*) AS n FROM \`lines\` WHERE order_id = ${id}`), [[{ n: 0 }]])
  })

  await t.test('a bigint is a rounded number, and with supportBigNumbers a text; a timestamp is a Date of milliseconds, and with dateStrings a text', async (t) => {
    const sql = "SELECT 9007199254740993 AS n, CAST('2026-01-01 00:00:00.000001' AS datetime(6)) AS at"
    t.match(await pool.query(sql), [[{ n: 2 ** 53, at: new Date(2026, 0) }]])
    const exact = mysql2.createPool({ uri: address, supportBigNumbers: true, dateStrings: true })
    t.teardown(async () => { await exact.end() })
    t.match(await exact.query(sql), [[{ n: '9007199254740993', at: '2026-01-01 00:00:00.000001' }]])
  })
})
