import t from 'tap'
import { ticks, timestamp } from '../../../example/app/timestamp.js'

await t.test('a time has seven fractional digits and ends in Z (reading 31)', async (t) => {
  t.equal(timestamp(0), '1970-01-01T00:00:00.0000000Z')
  t.equal(timestamp(Date.UTC(2031, 3, 2, 9, 15, 7, 5)), '2031-04-02T09:15:07.0050000Z')
  t.equal(timestamp(-1), '1969-12-31T23:59:59.9990000Z')
})

await t.test('a time can be read back, to the millisecond', async (t) => {
  for (const ms of [0, 1, 999, 1_522_100_761_176, 253_402_300_799_999]) t.equal(Date.parse(timestamp(ms)), ms)
})

await t.test('ticks are those of .NET: 100 ns since the year 1 (reading 26)', async (t) => {
  // The documentation of DateTime.Ticks has these values.
  t.equal(ticks(Date.parse('0001-01-01T00:00:00Z')), 0n)
  t.equal(ticks(Date.parse('1970-01-01T00:00:00Z')), 621_355_968_000_000_000n)
  t.equal(ticks(Date.parse('2000-01-01T00:00:00Z')), 630_822_816_000_000_000n)
  t.equal(ticks(Date.parse('9999-12-31T23:59:59.999Z')), 3_155_378_975_999_990_000n)
})

await t.test("the sample of the API is such a tick, of the second of its changedTime, and beyond JavaScript's numbers", async (t) => {
  const sample = { version: 636_576_975_611_768_314n, changedTime: '2018-03-26T21:46:01.179948Z' }
  const second = Date.parse(sample.changedTime.replace(/\..*/, 'Z'))
  t.ok(sample.version >= ticks(second) && sample.version < ticks(second + 1000))
  t.equal(String(ticks(second)).length, 18)
  t.not(BigInt(Number(sample.version)), sample.version)
  t.not(ticks(second + 1), ticks(second))
})
