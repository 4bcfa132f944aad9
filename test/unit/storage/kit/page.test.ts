import t from 'tap'
import { pageLimit } from '../../../../lib/storage/kit/page.js'

await t.test('pageLimit: whole numbers from 1 to 1,000 are what they are', async (t) => {
  for (const limit of [1, 2, 100, 999, 1000]) t.equal(pageLimit(limit), limit)
})

await t.test('pageLimit: 100 where none is given', async (t) => {
  t.equal(pageLimit(), 100)
  t.equal(pageLimit(undefined), 100)
})

await t.test('pageLimit: anything else is a mistake of the calling code', async (t) => {
  for (const limit of [0, -1, 1.5, 1001, NaN, Infinity, '10', null]) t.throws(() => pageLimit(limit as number), RangeError, `${limit}`)
})
