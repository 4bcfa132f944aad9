import t from 'tap'
import { uuid, wholeNumber } from '../../../lib/key/converters.js'

const INVALID_KEY = { code: 'FST_IF_MATCH_INVALID_KEY', statusCode: 400 }

await t.test('wholeNumber: decimal digits from 1 to the largest that JavaScript holds, or that the column does', async (t) => {
  for (const number of [1, 7, 10, 2 ** 31, Number.MAX_SAFE_INTEGER]) t.equal(wholeNumber(String(number)), number)
  t.equal(wholeNumber('2147483647', 2 ** 31 - 1), 2147483647)
  t.throws(() => wholeNumber('2147483648', 2 ** 31 - 1), INVALID_KEY)
  t.throws(() => wholeNumber('9007199254740993', 2 ** 63), INVALID_KEY, 'a larger max lets nothing be rounded')
})

await t.test('wholeNumber: no other spelling, no 0, nothing below it, nothing that is rounded', async (t) => {
  const others = [
    '007', '07', '7.0', '7.', '1e1', '7e0', '+7', '-7', '0', '-0', '00', '0x7', '0b1', '7_0', ' 7', '7 ', '7\n',
    '\u00a07',
    '\u0667', '\uff17', '7n', 'NaN', 'Infinity', 'null', 'undefined', '', '7/', '7,6', '9007199254740992',
    '1'.repeat(400)
  ]
  for (const text of others) t.throws(() => wholeNumber(text), INVALID_KEY, JSON.stringify(text))
  for (const value of [7, 7n, null, undefined, ['7']]) t.throws(() => wholeNumber(value as never), INVALID_KEY)
})

await t.test('uuid: 36 characters in lower case, of any version, and no other spelling', async (t) => {
  const id = '018f4e5c-7d1a-7c3b-9e2f-0123456789ab'
  for (const text of [id, '00000000-0000-0000-0000-000000000000']) t.equal(uuid(text), text)
  const others = [
    id.toUpperCase(), id.replace('f', 'F'), `{${id}}`, `urn:uuid:${id}`, id.replaceAll('-', ''), ` ${id}`, `${id}\n`,
    id.slice(1), `${id}0`, id.replace('8', 'g'), ''
  ]
  for (const text of others) t.throws(() => uuid(text), INVALID_KEY, JSON.stringify(text))
  for (const value of [null, undefined, [id]]) t.throws(() => uuid(value as never), INVALID_KEY)
})
