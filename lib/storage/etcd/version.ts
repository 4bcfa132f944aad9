/** Where etcd says an entity is in its life: the revision that created it, and how often it was written since (1 at first). */
export interface EtcdPlace { createRevision: bigint, writes: bigint }

const LARGEST = 2n ** 63n - 1n
const NUMBER = /^[1-9]\d{0,18}$/

/**
 * The version of an entity, `<create revision>.<writes>`, behind the epoch if there is one. A revision is given once, and
 * the writes count up by one, so the pair never comes back, and tells what it replaced without a word being stored.
 */
export function versionAt ({ createRevision, writes }: EtcdPlace, epoch: string): string {
  return `${epoch && `${epoch}.`}${createRevision}.${writes}`
}

/** The version that the one at this place replaced; undefined if that one created the entity. */
export function replacedAt ({ createRevision, writes }: EtcdPlace, epoch: string): string | undefined {
  return writes === 1n ? undefined : versionAt({ createRevision, writes: writes - 1n }, epoch)
}

/** The place that a version names; undefined for one that etcd cannot have given, which is never sent (E6). */
export function placeOf (version: string, epoch: string): EtcdPlace | undefined {
  const parts = version.split('.')
  if (epoch !== '' && parts.shift() !== epoch) return undefined
  if (parts.length !== 2 || !parts.every((part) => NUMBER.test(part))) return undefined
  const [createRevision, writes] = parts.map(BigInt) as [bigint, bigint]
  return createRevision <= LARGEST && writes <= LARGEST ? { createRevision, writes } : undefined
}
