import t from 'tap'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { offersOf } from '../../../example/offers/read.js'
import type { OfferRecord } from '../../../example/offers/record.js'
import { put } from '../../support/example/publications.js'

await t.test('a list is read in small pages, and other requests have their turn in between', async (t) => {
  const storage = memoryAdapter<OfferRecord>()
  const ids = Array.from({ length: 25 }, (_, index) => `o${String(index).padStart(2, '0')}`)
  for (const id of ids) await storage.write(`/publishers/contoso/offers/${id}`, { ...put(), id }, { kind: 'any' })
  const log: Array<string | number> = []
  const watched: typeof storage = {
    ...storage,
    async list (prefix, options) {
      const page = await storage.list(prefix, options)
      log.push(page.items.length)
      setImmediate(() => { log.push('others') })
      return page
    }
  }
  const seen: string[] = []
  for await (const { id } of offersOf(watched, 'contoso')) seen.push(id)
  t.strictSame(seen, ids)
  t.strictSame(log, [10, 'others', 10, 'others', 5, 'others'])
})
