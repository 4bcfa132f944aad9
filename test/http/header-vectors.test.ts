import http from 'node:http'
import t from 'tap'
import Fastify from 'fastify'
import ifMatch, { type StorageAdapter } from 'fastify-if-match'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { satisfies } from '../../lib/storage/kit/expectation.js'
import { putOverHttp2 } from '../support/http2-request.js'
import { addOfferRoutes, listen, offersApp, seed, send, tagOf, valueOf } from '../support/offers-app.js'

const BODY = '{"title":"sent"}'

/** Sends a PUT with these headers over a socket, then trailers, and returns the status. */
async function put (port: number, headers: http.OutgoingHttpHeaders, trailers = {}): Promise<number> {
  return await new Promise((resolve, reject) => {
    const request = http.request({
      port,
      host: '127.0.0.1',
      method: 'PUT',
      path: '/offers/1',
      headers: { 'content-type': 'application/json', ...headers }
    }, (response) => { response.resume().on('end', () => { resolve(response.statusCode!) }) })
    request.on('error', reject)
    request.addTrailers(trailers)
    request.end(BODY)
  })
}

// The tag of the vectors is "c". The storage chooses the versions, so the current tag takes its place.
function withTag (vector: string, etag: string): string {
  return vector.replaceAll('"c"', etag)
}

/** Sends a PUT with these lines of `If-Match`, and tells whether it changed the entity. */
async function outcomeOf (port: number, storage: StorageAdapter, ...lines: string[]) {
  const etag = await seed(storage)
  const status = await put(port, { 'If-Match': lines.map((line) => withTag(line, etag)) })
  return { status, isChanged: await tagOf(storage) !== etag }
}

await t.test('If-Match over HTTP/1.1', async (t) => {
  const { app, storage } = await offersApp(t)
  const port = await listen(app)

  await t.test('values that pass (RFC 9110 13.1.1)', async (t) => {
    const values = [
      '"c"', '"x", "c"', '"c","x"', ',"c",', ' "c" ', '\t"c"', '"a,b","c"', 'W/"c", "c"', '*', ' * '
    ]
    for (const value of values) {
      t.same(await outcomeOf(port, storage, value), { status: 200, isChanged: true }, JSON.stringify(value))
    }
  })

  await t.test('values that are false (RFC 9110 8.8.3.2)', async (t) => {
    const values = [
      '"x"', 'W/"c"', '"C"', '""', '"*"', 'W/"*"', '"a,c"', '"\\c"', '"x","y","z"', '"c;w"', '"\u00e9"'
    ]
    for (const value of values) {
      t.same(await outcomeOf(port, storage, value), { status: 412, isChanged: false }, JSON.stringify(value))
    }
  })

  await t.test('values that are false for the version c itself: nothing is folded, unescaped or split', async (t) => {
    const current = { value: {}, version: 'c' }
    const { app } = await offersApp(t, {
      storage: {
        read: async () => current,
        write: async (_key, _value, expectation) =>
          satisfies(expectation, 'c') ? { applied: true, version: 'd', created: false } : { applied: false, current },
        remove: async () => ({ applied: false, current })
      }
    })
    const port = await listen(app)
    t.equal(await put(port, { 'If-Match': '"c"' }), 200)
    for (const value of ['"x"', 'W/"c"', '"C"', '""', '"*"', 'W/"*"', '"a,c"', '"\\c"', '"x","y","z"']) {
      t.equal(await put(port, { 'If-Match': value }), 412, value)
    }
  })

  await t.test('values that are malformed', async (t) => {
    const values = [
      '', ',', 'c', '"c', 'c"', "'c'", '"c"x', '"c" "d"', '"c";w', 'w/"c"', 'W/ "c"', 'W/c', '*,"c"', '"c",*', '*,*',
      '"c", d', '"c "', '"c\t"', Array(257).fill('"c"').join(',')
    ]
    for (const value of values) {
      const message = JSON.stringify(value.slice(0, 20))
      t.same(await outcomeOf(port, storage, value), { status: 400, isChanged: false }, message)
    }
    t.same(await outcomeOf(port, storage, '*', '"c"'), { status: 400, isChanged: false }, 'two lines, * and a tag')
  })

  await t.test('repeated lines are one list (RFC 9110 5.3)', async (t) => {
    t.same(await outcomeOf(port, storage, '"x"', '"c"'), { status: 200, isChanged: true })
    t.same(await outcomeOf(port, storage, '"x"', '"y"'), { status: 412, isChanged: false })
    t.same(await outcomeOf(port, storage, '"c"', '"unquoted'), { status: 400, isChanged: false })
  })
})

await t.test('If-Match over HTTP/2: repeated lines are one list (engine-facts#node-http2-first-line)', async (t) => {
  const storage = memoryAdapter()
  const app = Fastify({ http2: true })
  t.teardown(async () => { await app.close() })
  await app.register(ifMatch, { storage })
  let answered: (status: number) => void
  app.addHook('onResponse', async (_request, reply) => { answered(reply.statusCode) })
  addOfferRoutes(app as never)
  const port = await listen(app as never)

  const statusOf = async (...lines: string[]): Promise<number> => {
    const etag = await seed(storage)
    const status = new Promise<number>((resolve) => { answered = resolve })
    const fields = lines.map((line): [string, string] => ['if-match', withTag(line, etag)])
    const socket = await putOverHttp2(port, '/offers/1', fields, BODY)
    const result = await status
    socket.destroy()
    return result
  }
  t.equal(await statusOf('"c"'), 200)
  t.equal(await statusOf('"x"', '"c"'), 200, 'the second line counts')
  t.equal(await statusOf('"x"', '"y"'), 412)
  t.equal(await statusOf('*', '"c"'), 400)
  t.equal(await statusOf('"c"', '*'), 400, 'a second line that spoils the first')
  t.equal(await statusOf(''), 400)
  t.equal(await statusOf('W/"c"'), 412)
})

await t.test('a malformed If-None-Match is refused like a malformed If-Match, on reads too', async (t) => {
  const { app, storage } = await offersApp(t)
  const etag = await seed(storage)
  const read = await send(app, 'GET /offers/1', { 'if-none-match': 'unquoted' })
  t.equal(read.statusCode, 400)
  t.equal(read.json().code, 'FST_IF_MATCH_MALFORMED')
  t.match(read.json().message, /^The If-None-Match header/)
  t.equal((await send(app, 'GET /offers/1', { 'if-match': '"a' })).statusCode, 400)
  const write = await send(app, 'PUT /offers/1', { 'if-match': etag, 'if-none-match': '*, "a"' }, { title: 'sent' })
  t.equal(write.statusCode, 400)
  t.equal(write.json().code, 'FST_IF_MATCH_MALFORMED')
  t.same(await valueOf(storage), { title: 'seeded' })
})

await t.test('preconditions in a trailer section are never read (RFC 9110 6.5.1)', async (t) => {
  const { app, storage } = await offersApp(t)
  await seed(storage)
  t.equal(await put(await listen(app), { trailer: 'If-Match' }, { 'If-Match': '*' }), 400)
})
