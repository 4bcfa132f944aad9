import type { ListingAdapter, StorageAdapter } from 'fastify-if-match/storage'

/** Copies what `to` does not have. Redis lists one collection at a time: `prefix` is its name, with the slash. */
export async function copyEntities (from: ListingAdapter, to: StorageAdapter, prefix = ''): Promise<void> {
  let after: string | undefined
  do {
    const { items, next } = await from.list(prefix, { after })
    for (const { key, value, digest } of items) await to.write(key, value, { kind: 'absent' }, { digest })
    after = next
  } while (after !== undefined)
}
