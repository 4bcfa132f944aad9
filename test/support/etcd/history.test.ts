import t from 'tap'
import { flawsOf, type Seen } from './history.js'

const FIRST = { version: 'v0', value: 'x0' }
const applied = (expected: number, version: number, start: number, end = start + 1): Seen => ({
  kind: 'applied',
  expected: `v${expected}`,
  version: `v${version}`,
  value: `x${version}`,
  start,
  end
})
const read = (version: number, start: number, end = start + 1): Seen => ({
  kind: 'read',
  version: `v${version}`,
  value: `x${version}`,
  start,
  end
})
const refused = (value: string, current: number, start: number, end = start + 1): Seen => ({
  kind: 'refused',
  value,
  current: { version: `v${current}`, value: `x${current}` },
  start,
  end
})
const unknown = (expected: number, value: string, start: number): Seen => ({
  kind: 'unknown',
  expected: `v${expected}`,
  value,
  start
})

await t.test('etcd-history: histories that an order explains', async (t) => {
  const good: Seen[][] = [
    [],
    [applied(0, 1, 0), applied(1, 2, 2), read(2, 4), refused('y', 2, 6)],
    // Side by side, a read may see either.
    [applied(0, 1, 0, 10), read(0, 1), read(1, 3), refused('y', 0, 1), read(1, 12)],
    // Unknown: seen by somebody, or by nobody; late, too.
    [unknown(0, 'x1', 0), read(0, 5), read(1, 7), applied(1, 2, 9)],
    [unknown(0, 'lost', 0), applied(0, 1, 5), { kind: 'unavailable', value: 'away' }]
  ]
  for (const history of good) t.strictSame(flawsOf(FIRST, history), [])
})

await t.test('etcd-history: histories that none explains', async (t) => {
  const bad: Array<[RegExp, Seen[]]> = [
    [/lost update/, [applied(0, 1, 0), applied(0, 2, 0)]],
    [/lost update/, [applied(0, 1, 0), unknown(0, 'x2', 0), read(2, 9)]],
    [/not on the chain/, [applied(0, 1, 0), applied(7, 8, 2)]],
    [/not on the chain/, [applied(0, 1, 0), read(5, 2)]],
    [/x1 was refused, and is there/, [refused('x1', 0, 0), read(1, 5)]],
    [/x1 was unavailable, and is there/, [{ kind: 'unavailable', value: 'x1' }, read(1, 5)]],
    [/read x0 began after applied x1 had ended/, [applied(0, 1, 0), read(0, 5)]],
    [/refused y began after applied x1 had ended/, [applied(0, 1, 0), refused('y', 0, 5)]],
    [/read x0 began after read x1 had ended/, [applied(0, 1, 0, 100), read(1, 1), read(0, 5)]],
    [/applied x1 began after applied x2 had ended/, [applied(1, 2, 0), applied(0, 1, 5)]],
    [/saw a write that had not begun/, [read(1, 0), applied(0, 1, 5)]],
    [/saw a write that had not begun/, [read(1, 0), unknown(0, 'x1', 5)]],
    [/version v1 is of x1 and of z/, [applied(0, 1, 0), { kind: 'read', version: 'v1', value: 'z', start: 5, end: 6 }]],
    [/stored twice/, [applied(0, 1, 0), { kind: 'read', version: 'v2', value: 'x1', start: 5, end: 6 }]]
  ]
  for (const [flaw, history] of bad) t.match(flawsOf(FIRST, history).join('\n'), flaw)
})
