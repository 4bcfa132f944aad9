import t from 'tap'
import { readFlags } from '../../../bench/flags.js'

await t.test('bench: every flag has a default, and the baseline is always among the sides', (t) => {
  t.match(readFlags([]), {
    sides: ['bare', 'memory', 'sqlite'],
    baseline: 'bare',
    rounds: 5,
    seconds: 3,
    connections: 64
  })
  t.same(readFlags(['--sides', 'sqlite', '--baseline', 'memory']).sides, ['memory', 'sqlite'])
  t.same(readFlags(['--scenarios', '412,PUT']).scenarios.map(({ name }) => name), ['PUT', '412'])
  t.end()
})

await t.test('bench: a flag that is wrong is named, and no load is without bound', (t) => {
  t.throws(() => readFlags(['--sides', 'bare,mongo']), {
    message: '--sides: "mongo" is none of bare, memory, sqlite, postgres, mysql, mariadb, redis, etcd, by-hand, ' +
      'transaction, transaction-precheck.'
  })
  t.throws(() => readFlags(['--scenarios', 'POST']), { message: /^--scenarios: "POST"/ })
  for (const value of ['0', '1.5', 'x', '101']) {
    t.throws(() => readFlags(['--rounds', value]), { message: '--rounds: must be a whole number from 1 to 100.' })
  }
  t.throws(() => readFlags(['--secs', '1']), { code: 'ERR_PARSE_ARGS_UNKNOWN_OPTION' })
  t.end()
})
