import http from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import Fastify, { type FastifyInstance } from 'fastify'
import ifMatch, { type StorageAdapter } from 'fastify-if-match'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { satisfies } from '../../lib/storage/kit/expectation.js'
import { putOverHttp2 } from '../support/http2-request.js'
import { addOfferRoutes, offersApp, seed } from '../support/offers-app.js'

/** Sends a PUT with these lines of `If-Match` over a socket, and returns the status. */
async function put (app: FastifyInstance, lines: string[]): Promise<number> {
  const { port } = app.server.address() as AddressInfo
  return await new Promise((resolve, reject) => {
    const request = http.request(
      {
        port,
        host: '127.0.0.1',
        method: 'PUT',
        path: '/offers/1',
        headers: { 'content-type': 'application/json', 'If-Match': lines as never }
      },
      (response) => {
        response.resume().on('end', () => {
          resolve(response.statusCode!)
        })
      }
    )
    request.on('error', reject)
    request.end('{"title":"sent"}')
  })
}

// The tag of the vectors is "c"; versions are the storage's to choose, so the vectors say it in its place.
function withTag (vector: string, etag: string): string {
  return vector.replaceAll('"c"', etag)
}

async function statusOf (
  app: FastifyInstance,
  storage: StorageAdapter,
  ...lines: string[]
): Promise<{ status: number, isChanged: boolean }> {
  const etag = await seed(storage)
  const status = await put(
    app,
    lines.map((line) => withTag(line, etag))
  )
  return { status, isChanged: `"${(await storage.read('/offers/1'))!.version}"` !== etag }
}

await t.test('If-Match over HTTP/1.1', async (t) => {
  const { app, storage } = await offersApp(t)
  await app.listen({ port: 0, host: '127.0.0.1' })

  await t.test('values that pass (R77)', async (t) => {
    for (const value of [
      '"c"',
      '"x", "c"',
      '"c","x"',
      ',"c",',
      ' "c" ',
      '\t"c"',
      '"a,b","c"',
      'W/"c", "c"',
      '*',
      ' * '
    ]) {
      t.same(await statusOf(app, storage, value), { status: 200, isChanged: true }, JSON.stringify(value))
    }
  })

  await t.test('values that are false (R78, R23)', async (t) => {
    for (const value of [
      '"x"',
      'W/"c"',
      '"C"',
      '""',
      '"*"',
      'W/"*"',
      '"a,c"',
      '"\\c"',
      '"x","y","z"',
      '"c;w"',
      '"\u00e9"'
    ]) {
      t.same(await statusOf(app, storage, value), { status: 412, isChanged: false }, JSON.stringify(value))
    }
  })

  await t.test('values that are false for the very tag of the vectors: nothing is folded, unescaped or split (R78, R11, R20, R28)', async (t) => {
    // A storage whose one version is c.
    const current = { value: {}, version: 'c' }
    const { app } = await offersApp(t, {
      storage: {
        read: async () => current,
        write: async (_key, _value, expectation) =>
          satisfies(expectation, 'c') ? { applied: true, version: 'd', created: false } : { applied: false, current },
        remove: async () => ({ applied: false, current })
      }
    })
    await app.listen({ port: 0, host: '127.0.0.1' })
    t.equal(await put(app, ['"c"']), 200)
    for (const value of ['"x"', 'W/"c"', '"C"', '""', '"*"', 'W/"*"', '"a,c"', '"\\c"', '"x","y","z"']) { t.equal(await put(app, [value]), 412, value) }
  })

  await t.test('values that are malformed (R79, R31, R32)', async (t) => {
    const values = [
      '',
      ',',
      'c',
      '"c',
      'c"',
      "'c'",
      '"c"x',
      '"c" "d"',
      '"c";w',
      'w/"c"',
      'W/ "c"',
      'W/c',
      '*,"c"',
      '"c",*',
      '*,*',
      '"c", d',
      '"c "',
      '"c\t"',
      Array.from({ length: 257 }, () => '"c"').join(',')
    ]
    for (const value of values) { t.same(await statusOf(app, storage, value), { status: 400, isChanged: false }, JSON.stringify(value.slice(0, 20))) }
    t.same(await statusOf(app, storage, '*', '"c"'), { status: 400, isChanged: false }, 'two lines, * and a tag')
  })

  await t.test('repeated lines are one list (R26, R80)', async (t) => {
    t.same(await statusOf(app, storage, '"x"', '"c"'), { status: 200, isChanged: true })
    t.same(await statusOf(app, storage, '"x"', '"y"'), { status: 412, isChanged: false })
    t.same(await statusOf(app, storage, '"c"', '"unquoted'), { status: 400, isChanged: false })
  })
})

await t.test('If-Match over HTTP/2: repeated lines are one list, though Node keeps the first alone (R26, R80)', async (t) => {
  const storage = memoryAdapter()
  const app = Fastify({ http2: true })
  t.teardown(async () => { await app.close() })
  await app.register(ifMatch, { storage })
  let answered: (status: number) => void
  app.addHook('onResponse', async (_request, reply) => { answered(reply.statusCode) })
  addOfferRoutes(app as never)
  await app.listen({ port: 0, host: '127.0.0.1' })

  const send = async (...lines: string[]): Promise<number> => {
    const etag = await seed(storage)
    const status = new Promise<number>((resolve) => { answered = resolve })
    const socket = await putOverHttp2(
      (app.server.address() as AddressInfo).port,
      '/offers/1',
      lines.map((line) => ['if-match', withTag(line, etag)]),
      '{"title":"sent"}'
    )
    const result = await status
    socket.destroy()
    return result
  }
  t.equal(await send('"c"'), 200)
  t.equal(await send('"x"', '"c"'), 200, 'the second line counts')
  t.equal(await send('"x"', '"y"'), 412)
  t.equal(await send('*', '"c"'), 400)
  t.equal(await send('"c"', '*'), 400, 'a second line that spoils the first')
  t.equal(await send(''), 400)
  t.equal(await send('W/"c"'), 412)
})

await t.test('a malformed If-None-Match is refused like a malformed If-Match, on reads too (R31)', async (t) => {
  const { app, storage } = await offersApp(t)
  const etag = await seed(storage)
  const read = await app.inject({ url: '/offers/1', headers: { 'if-none-match': 'unquoted' } })
  t.equal(read.statusCode, 400)
  t.equal(read.json().code, 'FST_IF_MATCH_MALFORMED')
  t.match(read.json().message, /^The If-None-Match header/)
  t.equal((await app.inject({ url: '/offers/1', headers: { 'if-match': '"a' } })).statusCode, 400)
  const write = await app.inject({
    method: 'PUT',
    url: '/offers/1',
    headers: { 'if-match': etag, 'if-none-match': '*, "a"' },
    payload: { title: 'sent' }
  })
  t.equal(write.statusCode, 400)
  t.equal(write.json().code, 'FST_IF_MATCH_MALFORMED')
  t.same((await storage.read('/offers/1'))?.value, { title: 'seeded' })
})

await t.test('preconditions in a trailer section are never read (R33)', async (t) => {
  const { app, storage } = await offersApp(t)
  await seed(storage)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const status = await new Promise((resolve, reject) => {
    const { port } = app.server.address() as AddressInfo
    const request = http.request(
      {
        port,
        host: '127.0.0.1',
        method: 'PUT',
        path: '/offers/1',
        headers: { 'content-type': 'application/json', trailer: 'If-Match' }
      },
      (response) => {
        response.resume().on('end', () => {
          resolve(response.statusCode)
        })
      }
    )
    request.on('error', reject)
    request.addTrailers({ 'If-Match': '*' })
    request.end('{"title":"sent"}')
  })
  t.equal(status, 400)
})
