/**
 * The place of an entity in the life of its key: the revision that created the key, and the writes since (1 at first).
 */
export interface EtcdPlace { createRevision: bigint, writes: bigint }

const LARGEST = 2n ** 63n - 1n
const NUMBER = /^[1-9]\d{0,18}$/

/**
 * The version of an entity, `<create revision>.<writes>`, behind the epoch if there is one. etcd gives a revision once,
 * and counts the writes, so the pair never comes back, and the version that it replaced need not be stored (decision
 * 0010).
 */
export function versionAt ({ createRevision, writes }: EtcdPlace, epoch: string): string {
  return `${epoch && `${epoch}.`}${createRevision}.${writes}`
}

/** The version that the one at this place replaced; undefined if that one created the entity. */
export function replacedAt ({ createRevision, writes }: EtcdPlace, epoch: string): string | undefined {
  return writes === 1n ? undefined : versionAt({ createRevision, writes: writes - 1n }, epoch)
}

/**
 * The place that a version names; undefined for a version that etcd cannot have given, which must never be sent
 * (engine-facts#etcd-impossible-version).
 */
export function placeOf (version: string, epoch: string): EtcdPlace | undefined {
  const parts = version.split('.')
  if (epoch !== '' && parts.shift() !== epoch) return undefined
  if (parts.length !== 2 || !parts.every((part) => NUMBER.test(part))) return undefined
  const [createRevision, writes] = parts.map(BigInt) as [bigint, bigint]
  return createRevision <= LARGEST && writes <= LARGEST ? { createRevision, writes } : undefined
}
