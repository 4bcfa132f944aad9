import t from 'tap'
import { collectionOf, redisNames } from '../../../../lib/storage/redis/keys.js'

// A Redis Cluster hashes the text between the first opening brace and the next closing one, if there is any.
const tagOf = (name: string) => /\{([^}]+)\}/.exec(name)?.[1]
const oddKeys = [
  'a', 'offers/1', 'offers/2', 'offers/', '/', 'offers//a', '{', '}', '{}', '{a}b', '}{', 'a{b/c}d', '{}/{}', '%7B',
  '%', 'offers/1:', ':'
]

await t.test('redis: without listings every entity has a tag of its own, which is never empty', async (t) => {
  const names = redisNames('p:', false)
  const tags = oddKeys.map((key) => tagOf(names.entity(key)))
  t.notOk(tags.includes(undefined))
  t.equal(new Set(tags).size, oddKeys.length)
  for (const key of oddKeys) t.equal(names.index(key), undefined)
})

await t.test('redis: with listings an entity shares its tag with its collection and the index of it alone', async (t) => {
  const names = redisNames('p:', 'collection')
  t.equal(
    new Set(oddKeys.flatMap((key) => [names.entity(key), names.index(key)])).size,
    oddKeys.length + new Set(oddKeys.map(names.index)).size
  )
  for (const key of oddKeys) {
    const index = names.index(key)
    t.equal(index === undefined, collectionOf(key) === '', key)
    t.ok(tagOf(names.entity(key)))
    if (index !== undefined) t.equal(tagOf(names.entity(key)), tagOf(index))
  }
  t.equal(names.index('offers/1'), names.index('offers/'))
  t.not(names.index('offers/1'), names.index('offers/a/1'))
})

await t.test('redis: no entity has a name that the adapter uses for itself', async (t) => {
  for (const list of [false, 'collection'] as const) {
    const { marker, probe, layout, entity } = redisNames('p:', list)
    t.equal(layout, list === false ? 'entity' : 'collection')
    t.equal(tagOf(probe[0]), tagOf(probe[1]))
    for (const name of [marker, ...probe]) t.notOk(name.startsWith(entity('a').slice(0, 3)))
  }
})
