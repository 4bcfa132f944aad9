import { MutationObserver, QueryClient, QueryObserver } from '@tanstack/query-core'
import axios from 'axios'
import t, { type Test } from 'tap'
import { createClient } from 'fastify-if-match/client'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { axiosFetch } from './client/axios.js'
import { comment } from './client/entries.js'
import { raise, save } from './client/offers.js'
import { offersApi } from './client/openapi-fetch.js'
import { offerQuery, saveOffer, type Offer } from './client/tanstack-query.js'
import { lostAnswer, stubServer } from '../support/client/stub-server.js'
import { listen, offersApp, seed, tagOf, valueOf } from '../support/offers-app.js'

const WAVE = { title: 'Wave', price: 1 }

async function servedOffer (t: Test) {
  const storage = memoryAdapter()
  const { app } = await offersApp(t, { storage })
  const etag = await seed(storage, '1', WAVE)
  const origin = `http://127.0.0.1:${await listen(app)}`
  return { storage, etag, origin, url: `${origin}/offers/1` }
}

await t.test('guide client: the first steps raise a price, save a form, and tell of a conflict', async (t) => {
  const { storage, etag, url } = await servedOffer(t)
  t.same(await raise(url), { title: 'Wave', price: 2 })
  t.equal(await save(url, { value: WAVE, etag }), 'somebody else wrote {"title":"Wave","price":2}')
  t.match(await save(url, { value: WAVE, etag: (await tagOf(storage))! }), /^saved as "/)
  t.same(await valueOf(storage), WAVE)
  await t.rejects(save(`${url}0`, { value: WAVE, etag: '' }), TypeError)
})

await t.test('guide client: a form whose answer is lost, and that somebody else saves meanwhile, is told as perhaps saved', async (t) => {
  const server = stubServer(t, { title: 'theirs', price: 1 })
  t.intercept(globalThis, 'fetch', { value: server.fetch })
  server.steps.push(() => {
    server.store({ title: 'theirs, again', price: 1 })
    throw new TypeError('fetch failed')
  })
  t.match(await save('/offers/1', { value: WAVE, etag: '"v0"' }), /^perhaps saved/)
})

await t.test('guide client: a comment is there once, also if the answer was lost', async (t) => {
  const server = stubServer(t, { comments: [] })
  server.steps.push((apply) => apply(), lostAnswer)
  const { value, outcome } = await comment(createClient(server), '/pages/1', 'first')
  t.match([value.comments, outcome], [[{ id: /^[0-9a-f-]{36}$/, text: 'first' }], 'found'])
})

await t.test('guide client: TanStack Query: a form is saved under the tag it was filled under, not under that of a later refetch', async (t) => {
  const { storage, url } = await servedOffer(t)
  const client = createClient()
  const queries = new QueryClient()
  t.teardown(() => { queries.clear() })
  const query = offerQuery(client, url)
  const form = await queries.fetchQuery(query)
  t.same(form.value, WAVE)
  const observer = new QueryObserver(queries, query)
  t.teardown(observer.subscribe(() => {}))
  await seed(storage, '1', { title: 'theirs', price: 2 })
  await observer.refetch()
  const saving = new MutationObserver(queries, saveOffer(client, queries, url))
  await t.rejects(saving.mutate({ ...form, value: { title: 'mine', price: 3 } }), { name: 'ConflictError' })
  const shown = queries.getQueryData<typeof form>(query.queryKey)!
  t.same([shown.value, shown.etag], [{ title: 'theirs', price: 2 }, await tagOf(storage)])
  await saving.mutate({ value: { title: 'mine', price: 3 }, etag: shown.etag })
  t.same(queries.getQueryData(query.queryKey), { value: { title: 'mine', price: 3 }, etag: await tagOf(storage) })
  await t.rejects(saving.mutate({ value: null as unknown as Offer, etag: '' }), TypeError)
})

await t.test('guide client: openapi-fetch sends the tag as a header, and the client shares the types', async (t) => {
  const { etag, origin, storage } = await servedOffer(t)
  const api = offersApi(origin)
  t.equal(await api.save('1', { title: 'Wave', price: 5 }, etag), 'saved')
  t.equal(await api.save('1', { title: 'Wave', price: 6 }, etag), 'conflict')
  t.match(await api.raise('1'), { value: { price: 6 } })
  t.match(await valueOf(storage), { price: 6 })
  await t.rejects(api.save('1', { title: 'Wave', price: 6 }, 'no tag'), { message: 'status 400' })
})

await t.test('guide client: axios carries the requests, with the headers of its instance', async (t) => {
  const { origin, storage } = await servedOffer(t)
  const instance = axios.create({ baseURL: origin, headers: { 'x-app': 'mine' } })
  let seen: unknown
  instance.interceptors.request.use((config) => {
    seen = config.headers.get('x-app')
    return config
  })
  const client = createClient({ fetch: axiosFetch(instance) })
  t.match(await client.update<Offer>('/offers/1', (offer) => { offer.price++ }), { value: { price: 2 } })
  const known = await client.read<Offer>('/offers/1')
  t.equal(await client.read('/offers/1', { known }), known, '304')
  t.strictSame([await valueOf(storage), seen], [{ title: 'Wave', price: 2 }, 'mine'])
  await t.rejects(client.write('/offers/1', WAVE, { etag: '"x"' }), { name: 'ConflictError', current: known })
  t.strictSame(await client.remove('/offers/1', { etag: known.etag }), { outcome: 'confirmed' })
})

await t.test('guide client: axios passes on an answer that has no body, and follows no redirect of a write', async (t) => {
  for (const status of [204, 205, 304, 303]) {
    const asked: unknown[] = []
    const instance = axios.create({
      adapter: async (config) => {
        asked.push(config.maxRedirects)
        return { data: '', status, statusText: '', headers: { etag: '"n"' }, config }
      }
    })
    const signal = new AbortController().signal
    const init = { headers: new Headers(), signal }
    const answer = await axiosFetch(instance)('/1', { ...init, method: 'PUT', redirect: 'manual' })
    await axiosFetch(instance)('/1', { ...init, method: 'GET', redirect: 'follow' })
    t.strictSame([answer.status, answer.headers.get('etag'), asked], [status, '"n"', [0, undefined]])
  }
})
