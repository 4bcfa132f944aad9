/** Where entities and indexes are kept. In a Cluster, what stands between the braces decides the slot (E47). */
export interface RedisNames {
  /** The hash of an entity. */
  entity (key: string): string
  /** The index of the collection that a key is in; undefined where none is kept. */
  index (key: string): string | undefined
  /** Says which layout the entities under this prefix have: read under another one, all of them would be absent. */
  readonly marker: string
  readonly layout: string
  /** What no entity is called, for trying out what may be done. */
  readonly probe: readonly [entity: string, index: string]
}

/** All up to the last slash; empty for a key without one. */
export function collectionOf (key: string): string {
  return key.slice(0, key.lastIndexOf('/') + 1)
}

/**
 * The names of keys in Redis. Without listings every entity has a slot of its own, and the load spreads; with them a
 * collection and its index share one, because a script cannot reach further.
 */
export function redisNames (prefix: string, list: false | 'collection'): RedisNames {
  const tagged = (tag: string) => `${prefix}{${encoded(tag)}}`
  return {
    entity (key) {
      const collection = list === false ? '' : collectionOf(key)
      return collection === '' ? tagged(key) : `${tagged(collection)}:${encoded(key.slice(collection.length))}`
    },
    index (key) {
      const collection = list === false ? '' : collectionOf(key)
      return collection === '' ? undefined : tagged(collection)
    },
    marker: `${prefix}layout`,
    layout: list === false ? 'entity' : list,
    probe: [`${prefix}probe{0}`, `${prefix}probe{0}:index`]
  }
}

// A brace inside would end the tag too early; an empty tag is none, and is not possible, for no key is empty.
function encoded (text: string): string {
  return text.replace(/[%{}]/g, encodeURIComponent)
}
