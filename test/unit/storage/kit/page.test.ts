import t from 'tap'
import { pageLimit, pageOf } from '../../../../lib/storage/kit/page.js'

await t.test('pageLimit: a whole number from 1 to 1,000 is taken as it is', async (t) => {
  for (const limit of [1, 2, 100, 999, 1000]) t.equal(pageLimit(limit), limit)
})

await t.test('pageLimit: without a limit it is 100', async (t) => {
  t.equal(pageLimit(), 100)
  t.equal(pageLimit(undefined), 100)
})

await t.test('pageLimit: any other limit is a mistake of the calling code, and throws a RangeError', async (t) => {
  for (const limit of [0, -1, 1.5, 1001, NaN, Infinity, '10', null]) {
    t.throws(() => pageLimit(limit as number), RangeError, `${limit}`)
  }
})

await t.test('pageOf: one item more than the limit tells that a page follows, after the last item of this one', async (t) => {
  const found = ['a', 'b', 'c'].map((key) => ({ key, value: 1, version: 'v' }))
  t.strictSame(pageOf(found, 2), { items: found.slice(0, 2), next: 'b' })
  t.strictSame(pageOf(found, 3), { items: found, next: undefined })
  t.strictSame(pageOf([], 3), { items: [], next: undefined })
})
