import t from 'tap'
import { createTableSql, padded, quotedTable, statementsOn } from '../../../../lib/storage/mysql/sql.js'

const table = quotedTable({})
const textsOf = (options: Parameters<typeof statementsOn>[1]): string[] => {
  const { read, readFacts, write, remove, readUnless, ...others } = statementsOn(table, options)
  const { version, ...writes } = write
  const reads = [read, readFacts].flatMap(({ one, many }) => [one, many(2)])
  return [
    ...reads,
    ...Object.values(others),
    readUnless(1),
    ...Object.values(writes),
    version(1),
    remove.version(1),
    remove.exists
  ]
}

await t.test('mysql: MySQL gets nothing that MariaDB alone understands', async (t) => {
  for (const onlyWhere of ['inside', 'outside', undefined] as const) {
    for (const text of textsOf({ isMariaDb: false, lockTimeout: 2000, onlyWhere })) {
      t.notMatch(text, /SET STATEMENT|in_transaction|RETURNING/)
    }
  }
})

await t.test('mysql: changes wait for a lock for whole seconds, and as long as the server says if there is no bound', async (t) => {
  for (const [lockTimeout, bound] of [[1, 1], [1000, 1], [1001, 2]] as const) {
    t.match(
      statementsOn(table, { isMariaDb: true, lockTimeout }).write.exists,
      `SET STATEMENT innodb_lock_wait_timeout = ${bound}, lock_wait_timeout = ${bound} FOR UPDATE`
    )
  }
  for (const text of textsOf({ isMariaDb: true, lockTimeout: 0 })) t.notMatch(text, /SET STATEMENT/)
})

await t.test('mysql: each change has the condition where it must not run elsewhere', async (t) => {
  for (const [onlyWhere, condition] of [
    ['inside', /(WHERE|AND) \(@@in_transaction OR NOT @@autocommit\)/],
    ['outside', /(WHERE|AND) NOT \(@@in_transaction OR NOT @@autocommit\)/]
  ] as const) {
    const { write, remove } = statementsOn(table, { isMariaDb: true, lockTimeout: 0, onlyWhere })
    const texts = [write.version(2), write.exists, write.absent, write.any, remove.version(2), remove.exists]
    for (const text of texts) t.match(text, condition)
  }
})

await t.test('mysql: names are in backticks, and a table is of InnoDB whatever the server prefers', async (t) => {
  t.match(
    createTableSql({ database: 'my`shop', table: 'offers', columns: { key: 'id' } }),
    /^CREATE TABLE IF NOT EXISTS `my``shop`\.`offers` \(`id` VARBINARY\(1024\) NOT NULL, .*ENGINE = InnoDB/
  )
})

await t.test('mysql: lists of versions and keys are padded to powers of two, by one that is in them', async (t) => {
  const versions = ['a', 'b', 'c', 'd', 'e']
  t.strictSame(
    versions.map((_, index) => padded(versions.slice(0, index + 1)).join('')),
    ['a', 'ab', 'abca', 'abcd', 'abcdeaaa']
  )
})
