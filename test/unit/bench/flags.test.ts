import t from 'tap'
import { readFlags } from '../../../bench/flags.js'

await t.test('bench: every flag has a default, and the baseline is always among the sides', (t) => {
  t.match(readFlags([]), {
    sides: ['floor', 'bare', 'hand', 'memory', 'sqlite'],
    baseline: 'floor',
    scenarios: ['put', 'put-412', 'get', 'get-304'],
    rounds: 5,
    seconds: 3,
    connections: [64],
    sizes: [1],
    inProcess: false,
    json: undefined
  })
  t.same(readFlags(['--sides', 'sqlite', '--baseline', 'memory']).sides, ['memory', 'sqlite'])
  t.same(readFlags(['--scenarios', 'put-412,put']).scenarios, ['put', 'put-412'])
  t.match(readFlags(['--connections', '1,32,256', '--size', '1,64']), { connections: [1, 32, 256], sizes: [1, 64] })
  t.match(readFlags(['--in-process', '--connections', '32']), { inProcess: true, connections: [1] })
  t.end()
})

await t.test('bench: a flag that is wrong is named, and no load is without bound', (t) => {
  t.throws(() => readFlags(['--sides', 'bare,mongo']), { message: /^--sides: "mongo" is none of wire, bare, hand, fl/ })
  t.throws(() => readFlags(['--scenarios', 'POST']), { message: /^--scenarios: "POST"/ })
  t.throws(() => readFlags(['--in-process', '--sides', 'azurite']), {
    message: '--in-process: "azurite" is a process of its own.'
  })
  t.throws(() => readFlags(['--in-process', '--profiles', '/tmp']), {
    message: '--profiles: there is no server process in process.'
  })
  for (const value of ['0', '1.5', 'x', '101']) {
    t.throws(() => readFlags(['--rounds', value]), { message: '--rounds: must be a whole number from 1 to 100.' })
  }
  t.throws(() => readFlags(['--connections', '1,0']), {
    message: '--connections: must be a whole number from 1 to 1000.'
  })
  t.throws(() => readFlags(['--secs', '1']), { code: 'ERR_PARSE_ARGS_UNKNOWN_OPTION' })
  t.end()
})
