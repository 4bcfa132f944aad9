import { inspect } from 'node:util'
import * as mariadb from 'mariadb'
import * as mariadbCallbacks from 'mariadb/callback'
import callbacks from 'mysql2'
import mysql2 from 'mysql2/promise'
import t from 'tap'
import { settingsOf, type MysqlAdapterOptions } from '../../../../lib/storage/mysql/options.js'

const config = { host: '127.0.0.1', port: 1, connectionLimit: 1 }
const client = mysql2.createPool(config)

await t.test('mysql: wrong options are refused, naming the option', async (t) => {
  const withCallbacks = mariadbCallbacks.createPool({ ...config, acquireTimeout: 10, initializationTimeout: 10 })
  t.teardown(() => { withCallbacks.end(() => {}) })
  const wrong: Array<[unknown, RegExp]> = [
    [undefined, /"client"/],
    [{}, /"client"/],
    [{ client: {} }, /"client"/],
    [{ client: Promise.resolve(client) }, /"client" is a promise\. Await it/],
    [{ client: withCallbacks }, /driver mariadb with callbacks/],
    [{ client, database: '' }, /"database"/],
    [{ client, table: 'a\0' }, /"table"/],
    [{ client, table: 'a ' }, /"table"/],
    [{ client, table: 'é'.repeat(65) }, /"table"/],
    [{ client, table: 1 }, /"table"/],
    [{ client, columns: { key: '' } }, /"key"/],
    [{ client, columns: { tag: 'etag' } }, /names tag/],
    [{ client, columns: { key: 'Version' } }, /one name/],
    [{ client, timeout: 0 }, /"timeout"/],
    [{ client, timeout: '5' }, /"timeout"/],
    [{ client, timeout: 2 ** 31 }, /"timeout"/],
    [{ client, lockTimeout: -1 }, /"lockTimeout"/],
    [{ client, lockTimeout: 1.5 }, /"lockTimeout"/],
    [{ client, timeout: 1500, lockTimeout: 1001 }, /"lockTimeout".*whole seconds/],
    [{ client, schema: 'shop' }, /no option "schema"/],
    [{ client, tabel: 'offers' }, /no option "tabel"\. Did you mean "table"/]
  ]
  for (const [options, message] of wrong) {
    t.throws(
      () => settingsOf(options as MysqlAdapterOptions),
      { code: 'FST_IF_MATCH_INVALID_OPTIONS', message },
      inspect(options, { depth: 0 })
    )
  }
})

await t.test('mysql: pools of both drivers are clients, and the bounds have defaults', async (t) => {
  const ofMariadb = mariadb.createPool({ ...config, acquireTimeout: 10, initializationTimeout: 10 })
  const pools = [client, callbacks.createPool(config), ofMariadb]
  for (const client of pools) t.match(settingsOf({ client }), { timeout: 5000, lockTimeout: 2000 })
  t.match(settingsOf({ client, timeout: 1500, lockTimeout: 1000, table: 'é'.repeat(64) }), { lockTimeout: 1000 })
  void ofMariadb.end()
})
