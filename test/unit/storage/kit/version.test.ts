import t from 'tap'
import { newVersion, possibleVersions } from '../../../../lib/storage/kit/version.js'

// More than three fillings of the pool.
const versions = Array.from({ length: 1000 }, () => newVersion())

await t.test('newVersion: is 96 bits in base64url, and so can be an entity-tag', async (t) => {
  for (const version of versions) t.match(version, /^[A-Za-z0-9_-]{16}$/)
})

await t.test('newVersion: never gives the same version twice, also after the pool is filled again', async (t) => {
  t.equal(new Set(versions).size, versions.length)
})

await t.test('newVersion: every bit of it varies', async (t) => {
  const bytes = versions.map((version) => Buffer.from(version, 'base64url'))
  for (let index = 0; index < 12; index++) {
    t.equal(bytes.reduce((any, version) => any | version[index]!, 0), 0xff, `each bit of byte ${index} is set once`)
    t.equal(bytes.reduce((all, version) => all & version[index]!, 0xff), 0, `no bit of byte ${index} is always set`)
  }
})

await t.test('versions that cannot be entity-tags are never sent', async (t) => {
  t.strictSame(possibleVersions(['a', '', 'a b', 'é', '\0', '"', '\\', 'a,{}', '\ud800', '~!']), ['a', 'a,{}', '~!'])
})
