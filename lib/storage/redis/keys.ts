/**
 * The names of keys in Redis. In a Cluster the text between the braces decides the slot
 * (engine-facts#redis-cluster-hash-tags).
 */
export interface RedisNames {
  /** The hash of an entity. */
  entity (key: string): string
  /** The index of the collection that a key is in; undefined where no index is kept. */
  index (key: string): string | undefined
  /** Holds the layout of the entities under this prefix: read under another one, all of them would be absent. */
  readonly marker: string
  readonly layout: string
  /** Names that no entity and no index has: the boot tries out on them what the user may do. */
  readonly probe: readonly [entity: string, index: string]
}

/** The key up to its last slash; empty for a key without one. */
export function collectionOf (key: string): string {
  return key.slice(0, key.lastIndexOf('/') + 1)
}

/**
 * Without listings every entity has a slot of its own, and the load spreads over a Cluster. With them a collection and
 * its index share one slot, because a script cannot reach another.
 */
export function redisNames (prefix: string, list: false | 'collection'): RedisNames {
  const tagged = (tag: string): string => `${prefix}{${encoded(tag)}}`
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

// A brace inside a tag would end it too early. An empty tag would be no tag, but no key is empty.
function encoded (text: string): string {
  return text.replace(/[%{}]/g, encodeURIComponent)
}
