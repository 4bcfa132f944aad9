import t from 'tap'
import { placeOf, replacedAt, versionAt } from '../../../../lib/storage/etcd/version.js'

await t.test('etcd-version: a version is the place in the life of the key, and tells what it replaced', async (t) => {
  const place = { createRevision: 7n, writes: 2n }
  for (const [epoch, version, replaced] of [['', '7.2', '7.1'], ['e1', 'e1.7.2', 'e1.7.1']] as const) {
    t.equal(versionAt(place, epoch), version)
    t.equal(replacedAt(place, epoch), replaced)
    t.strictSame(placeOf(version, epoch), place)
    t.equal(replacedAt({ createRevision: 7n, writes: 1n }, epoch), undefined, 'it was created')
  }
})

await t.test('etcd-version: a version that etcd cannot have given names no place', async (t) => {
  const largest = String(2n ** 63n - 1n)
  t.strictSame(placeOf(`${largest}.${largest}`, ''), { createRevision: 2n ** 63n - 1n, writes: 2n ** 63n - 1n })
  for (const version of [
    '', '0', '7', '0.1', '7.0', '07.1', '7.01', '+7.1', '-7.1', '7.1.1', '7.', '.1', ' 7.1', '7.1 ', '7.1e0', '0x7.1',
    '7.٣',
    `${2n ** 63n}.1`, `1.${2n ** 63n}`, '99999999999999999999.1'
  ]) {
    t.equal(placeOf(version, ''), undefined, version)
  }
})

await t.test('etcd-version: a version of another epoch names no place', async (t) => {
  t.equal(placeOf('7.1', 'e1'), undefined)
  t.equal(placeOf('e2.7.1', 'e1'), undefined)
  t.equal(placeOf('e1.7.1', ''), undefined)
})
