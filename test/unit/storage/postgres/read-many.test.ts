import t from 'tap'
import { readManyOf, type Read } from '../../../../lib/storage/postgres/read-many.js'
import { quotedTable, statementsOn } from '../../../../lib/storage/postgres/sql.js'

const statements = statementsOn(quotedTable({}), 0)
const { readMany, readManyUnless } = statements
const read = (key: string, unless?: '*' | string[]): Read => ({ key, options: unless && { unless } })

await t.test('postgres: reads together spare the values that none of them needs; each key is asked for once', async (t) => {
  t.strictSame(readManyOf([read('a'), read('b'), read('a')], statements), [readMany, [['a', 'b']]])
  t.strictSame(
    readManyOf([read('a', '*'), read('b', ['1', '2']), read('c')], statements),
    [readManyUnless, [['a', 'b', 'c'], ['a'], ['1 b', '2 b']]]
  )
  t.strictSame(readManyOf([read('a', [])], statements), [readMany, [['a']]])
  t.strictSame(readManyOf([read('a', ['no version', '\0'])], statements), [readMany, [['a']]])
})

await t.test('postgres: where reads of a key differ in what they need, its value comes along, in whatever order they are', async (t) => {
  for (const reads of [
    [read('a', '*'), read('a')], [read('a'), read('a', '*')], [read('a', '*'), read('a', ['1'])],
    [read('a', '*'), read('a'), read('a', '*')], [read('a', ['1']), read('a', ['2'])]
  ]) {
    t.strictSame(readManyOf([...reads, read('b', '*')], statements), [readManyUnless, [['a', 'b'], ['b'], []]])
  }
})
