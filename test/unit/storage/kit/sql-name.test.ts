import t from 'tap'
import { quoteName } from '../../../../lib/storage/kit/sql-name.js'

await t.test('SQL names: in double quotes, and a quote inside is doubled', async (t) => {
  t.equal(quoteName('order'), '"order"')
  t.equal(quoteName('a"; DROP TABLE b'), '"a""; DROP TABLE b"')
})
