import { runInNewContext } from 'node:vm'
import t from 'tap'
import { formatEntityTag } from '../../../../lib/http/entity-tag.js'
import { assertTaggable, versionText } from '../../../../lib/storage/kit/row-version.js'

await t.test('versionText: a text stays as it is, a number and a bigint become their digits, and each can be an entity-tag', async (t) => {
  for (const [version, text] of [
    ['a1', 'a1'], ['0', '0'], ['007', '007'], [0, '0'], [7, '7'], [-7, '-7'], [1.5, '1.5'], [7n, '7'],
    [2 ** 53 - 1, '9007199254740991'], [2n ** 63n - 1n, '9223372036854775807']
  ] as const) {
    t.equal(versionText(version), text)
    t.equal(formatEntityTag(versionText(version)), `"${text}"`)
  }
})

await t.test('versionText: the space between date and time becomes T, and no other one, so that different texts stay different', async (t) => {
  for (const [version, text] of [
    ['2026-02-03 04:05:06.123456+00', '2026-02-03T04:05:06.123456+00'],
    ['2026-02-03 04:05:06', '2026-02-03T04:05:06'],
    ['2026-02-03T04:05:06.123456Z', '2026-02-03T04:05:06.123456Z'],
    ['12026-02-03 04:05:06', '12026-02-03T04:05:06'],
    ['a b', 'a b'], [' 7', ' 7'], ['7 ', '7 '], ['Tue Feb 03 04:05:06', 'Tue Feb 03 04:05:06']
  ] as const) t.equal(versionText(version), text)
})

await t.test('versionText: what is no version is refused with what to do: a Date of any realm, nothing, a rounded number, bytes', async (t) => {
  for (const [version, says] of [
    [new Date(), /a Date, which has milliseconds alone\. Select it as text/],
    [runInNewContext('new Date()'), /a Date/],
    [undefined, /not there\. Select it/], [null, /null\. Declare/], ['', /empty\. Give/],
    [2 ** 53, /rounds\. Select it as text/], [-(2 ** 53), /rounds/], [NaN, /rounds/], [Infinity, /rounds/],
    [Buffer.from('00000000000007d1', 'hex'), /neither a text nor a number\. Select it as text/],
    [true, /neither/], [{}, /neither/], [['7'], /neither/]
  ] as const) t.throws(() => versionText(version), { code: 'FST_IF_MATCH_INVALID_ADAPTER', message: says })
})

await t.test('assertTaggable refuses what the plugin refuses to write as an entity-tag, and nothing else', (t) => {
  assertTaggable(undefined) // no entity
  for (const version of ['a', '7', 'a-1', '', 'a b', 'a"', 'a\\', 'a;b', 'é', 'a\n']) {
    const isRefused = (check: (version: string) => unknown): boolean => {
      try {
        check(version)
        return false
      } catch (error) {
        t.match(error, { code: 'FST_IF_MATCH_INVALID_VERSION' })
        return true
      }
    }
    t.equal(isRefused(assertTaggable), isRefused(formatEntityTag), JSON.stringify(version))
  }
  t.end()
})
