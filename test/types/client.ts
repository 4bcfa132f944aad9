// Compiled, not run: the compiler fails where a line marked as an error is none, and where an unmarked line is one.
import { createClient, type Current, type Written } from 'fastify-if-match/client'

interface Offer { price: number }

export async function calls (url: URL): Promise<void> {
  const client = createClient({ fetch, headers: { authorization: 'Bearer x' } })
  const read: Current<Offer> = await client.read<Offer>(url)
  await client.read<Offer>(url, { known: read, signal: AbortSignal.timeout(5) })
  const written: Written<Offer> = await client.write(url, { price: 1 }, { etag: read.etag })
  await client.write(url, { price: 1 }, { overwrite: true, isApplied: ({ price }, sent) => price === sent.price })
  await client.update<Offer>(url, (offer) => { offer.price++ }, { onConflict: ({ mine }) => mine })
  await client.remove(url, { etag: read.etag })

  // @ts-expect-error: no strategy
  await client.write(url, { price: 1 })
  // @ts-expect-error: no strategy
  await client.write(url, { price: 1 }, {})
  // @ts-expect-error: two strategies
  await client.write(url, { price: 1 }, { etag: read.etag, overwrite: true })
  // @ts-expect-error: the answer to a write may have had no tag
  await client.write(url, { price: 1 }, { etag: written.etag })
  // @ts-expect-error: no strategy
  await client.remove(url)
  // @ts-expect-error: not an offer
  await client.update<Offer>(url, () => ({ cost: 1 }))
}
