import t from 'tap'
import { createClient, sameJson } from '../../../lib/client/index.js'
import { lostAnswer, neverSent, stubServer } from '../../support/client/stub-server.js'

await t.test('the options of a client hold for each call, and those of a call come first', async (t) => {
  const server = stubServer(t, 1)
  const client = createClient({ ...server, retries: 0, headers: { 'x-a': 'client' } })
  server.steps.push(neverSent)
  await t.rejects(client.read('/1'), { code: 'NO_ANSWER' })
  server.steps.push(neverSent)
  t.match(await client.read('/1', { retries: 1, headers: { 'x-b': 'call' } }), { value: 1 })
  t.match(server.sent[2]?.headers, { 'x-a': 'client', 'x-b': 'call' })
})

await t.test('every call works without options that are not required, and takes an URL', async (t) => {
  const server = stubServer(t)
  t.intercept(globalThis, 'fetch', { value: server.fetch })
  const client = createClient()
  const url = new URL('https://a.test/1')
  const created = await client.create(url, { n: 1 })
  const updated = await client.update<{ n: number }>(url, (value) => { value.n++ })
  const written = await client.write(url, { n: 3 }, { etag: updated.etag! })
  t.ok(sameJson((await client.read(url)).value, written.value))
  t.strictSame(await client.remove(url, { etag: written.etag! }), { outcome: 'confirmed' })
  await client.create(url, { n: 4 })
  server.steps.push(neverSent)
  const lost = client.remove(url, { overwrite: true })
  await t.rejects(lost, { code: 'OUTCOME_UNKNOWN' })
  server.steps.push(lostAnswer)
  t.strictSame(await client.remove(url, { overwrite: true }), { outcome: 'found' })
  t.strictSame([created, updated, written].map(({ outcome }) => outcome), ['confirmed', 'confirmed', 'confirmed'])
  t.strictSame([...new Set(server.sent.map(({ url }) => url))], ['https://a.test/1'])
})
