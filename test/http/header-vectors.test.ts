import { once } from 'node:events'
import http from 'node:http'
import http2 from 'node:http2'
import t, { type Test } from 'tap'
import Fastify, { type FastifyRequest } from 'fastify'
import ifMatch, { type StorageAdapter } from 'fastify-if-match'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { satisfies } from '../../lib/storage/kit/expectation.js'
import { putOverHttp2 } from '../support/http2-request.js'
import { addOfferRoutes, listen, offersApp, seed, send, tagOf, valueOf } from '../support/offers-app.js'

const BODY = '{"title":"sent"}'
const HOOKS = ['onRequest', 'preParsing', 'preValidation', 'preHandler'] as const

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
  for (const hook of HOOKS) {
    app.addHook(hook as 'onRequest', async ({ headers }) => {
      if (headers['x-mend-in'] === hook) headers['if-match'] = headers['if-match']?.replaceAll('W/', '')
    })
  }
  addOfferRoutes(app as never)
  const port = await listen(app as never)

  const statusOf = async (lines: string[], ...others: Array<[string, string]>): Promise<number> => {
    const etag = await seed(storage)
    const status = new Promise<number>((resolve) => { answered = resolve })
    const fields = lines.map((line): [string, string] => ['if-match', withTag(line, etag)])
    const socket = await putOverHttp2(port, '/offers/1', [...fields, ...others], BODY)
    const result = await status
    socket.destroy()
    return result
  }
  t.equal(await statusOf(['"c"']), 200)
  t.equal(await statusOf(['"x"', '"c"']), 200, 'the second line counts')
  t.equal(await statusOf(['"x"', '"y"']), 412)
  t.equal(await statusOf(['*', '"c"']), 400)
  t.equal(await statusOf(['"c"', '*']), 400, 'a second line that spoils the first')
  t.equal(await statusOf(['']), 400)
  t.equal(await statusOf(['W/"c"']), 412)
  for (const hook of HOOKS) {
    t.equal(await statusOf(['W/"x"', 'W/"c"'], ['x-mend-in', hook]), 200, `${hook} mends all lines`)
  }
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

const FIELDS = ['if-match', 'if-none-match'] as const

/** What a hook makes of a field, by the name of the change. `c` is the current tag. */
const CHANGES: Record<string, (request: FastifyRequest, field: (typeof FIELDS)[number], c: string) => void> = {
  kept: () => {},
  mended: ({ headers }, field) => { headers[field] = headers[field]?.replace('W/', '') },
  filled: ({ headers }, field, c) => { headers[field] = c },
  filledWithList: ({ headers }, field, c) => { headers[field] = ['"x"', c] as never },
  deleted: ({ headers }, field) => { delete headers[field] },
  undefined: ({ headers }, field) => { headers[field] = undefined },
  assigned: (request, field, c) => { Object.assign(request, { headers: { [field]: c } }) },
  assignedOver: (request, field, c) => { Object.assign(request, { headers: { ...request.headers, [field]: c } }) },
  assignedAway: (request, field) => { Object.assign(request, { headers: { ...request.headers, [field]: undefined } }) },
  spoiled: ({ headers }, field) => { headers[field] = 'unquoted' }
}

/** The app whose hook changes the field that `x-field` names, as `x-change` says. */
async function changingApp (t: Test, hook: (typeof HOOKS)[number], over: string, where: 'app' | 'route') {
  const storage = memoryAdapter()
  const app = Fastify(over === 'HTTP/2' ? { http2: true } as object : {})
  t.teardown(async () => { await app.close() })
  await app.register(ifMatch, { storage })
  // Something asks for the entity before, in one of the apps.
  if (where === 'app') app.addHook('onRequest', async (request) => { request.entity() })
  const change = async (request: FastifyRequest): Promise<void> => {
    const { 'x-change': name, 'x-field': field } = request.headers as { 'x-change': string, 'x-field': 'if-match' }
    CHANGES[name]!(request, field, (await tagOf(storage))!)
  }
  if (where === 'app') app.addHook(hook as 'onRequest', change)
  const options = { config: { ifMatch: true }, ...(where === 'route' && { [hook]: change }) }
  app.get('/offers/:id', options, async (request) => (await request.entity().read()).value)
  app.put('/offers/:id', options, async (request) => (await request.entity().replace(request.body)).value)
  const port = over === 'inject' ? 0 : await listen(app)
  const client = over === 'HTTP/2' ? http2.connect(`http://127.0.0.1:${port}`) : undefined
  t.teardown(() => { client?.destroy() })
  const statusOf = async (method: 'GET' | 'PUT', headers: Record<string, string>): Promise<number> => {
    const all = { 'content-type': 'application/json', ...headers }
    if (over === 'inject') return (await send(app, `${method} /offers/1`, method === 'GET' ? headers : all)).statusCode
    if (client !== undefined) {
      const stream = client.request({ ':method': method, ':path': '/offers/1', ...all })
      stream.end(method === 'PUT' ? BODY : undefined)
      const [answer] = await once(stream, 'response') as [http2.IncomingHttpHeaders & { ':status': number }]
      stream.resume()
      return answer[':status']
    }
    const request = http.request({ port, host: '127.0.0.1', method, path: '/offers/1', headers: all, agent: false })
    request.end(method === 'PUT' ? BODY : undefined)
    const [response] = await once(request, 'response') as [http.IncomingMessage]
    response.resume()
    return response.statusCode!
  }
  return { storage, statusOf }
}

for (const over of ['inject', 'HTTP/1.1', 'HTTP/2']) {
  for (const hook of HOOKS) {
    await t.test(`a precondition that ${hook} mends, fills or deletes counts as it is when the handler is entered, over ${over}`, async (t) => {
      for (const where of ['app', 'route'] as const) {
        const { storage, statusOf } = await changingApp(t, hook, over, where)
        // What is sent, how it is changed, and the answers to PUT and GET: by If-Match, and by If-None-Match.
        const rows: Array<[string | undefined, string, number, number, number, number]> = [
          ['c', 'kept', 200, 200, 412, 304],
          ['W/c', 'kept', 412, 412, 412, 304],
          ['W/c', 'mended', 200, 200, 412, 304],
          ['x', 'filled', 200, 200, 412, 304],
          [undefined, 'filled', 200, 200, 412, 304],
          [undefined, 'filledWithList', 200, 200, 412, 304],
          [undefined, 'assigned', 200, 200, 412, 304],
          ['x', 'assignedOver', 200, 200, 412, 304],
          ['malformed', 'assignedOver', 200, 200, 412, 304],
          ['c', 'deleted', 400, 200, 400, 200],
          ['malformed', 'deleted', 400, 200, 400, 200],
          ['c', 'undefined', 400, 200, 400, 200],
          ['c', 'assignedAway', 400, 200, 400, 200],
          ['c', 'spoiled', 400, 400, 400, 400]
        ]
        for (const [sent, change, ...statuses] of rows) {
          for (const [index, field] of FIELDS.entries()) {
            for (const [offset, method] of (['PUT', 'GET'] as const).entries()) {
              const c = await seed(storage)
              const value = sent && ({ c, 'W/c': `W/${c}`, x: '"x"' }[sent] ?? sent)
              const headers = { 'x-change': change, 'x-field': field, ...(value && { [field]: value }) }
              const status = await statusOf(method, headers)
              t.equal(status, statuses[index * 2 + offset], `${where}: ${method} ${field} ${sent} ${change}`)
              t.equal(await tagOf(storage) !== c, method === 'PUT' && status === 200)
            }
          }
        }
      }
    })
  }
}

await t.test('a field that a headers schema does not list counts all the same, also where Fastify removes it', async (t) => {
  const strict = { type: 'object', properties: { 'x-tenant': { type: 'string' } }, additionalProperties: false }
  for (const missing of ['allow', 400] as const) {
    const { app, storage } = await offersApp(t, {}, (app) => {
      app.put('/strict/:id', {
        config: { ifMatch: { key: '/offers/:id', missing } },
        schema: { headers: strict },
        preValidation: async (request) => {
          if (request.headers['x-mend'] !== undefined) request.headers['if-match'] = '"mended"'
        }
      }, async (request) => ({ headers: request.headers, ...await request.entity().replace({ title: 'sent' }) }))
    })
    const etag = await seed(storage)
    t.equal((await send(app, 'PUT /strict/1', { 'if-match': '"x"' })).statusCode, 412)
    t.equal((await send(app, 'PUT /strict/1', { 'if-match': etag, 'x-mend': '1' })).statusCode, 412)
    t.equal((await send(app, 'PUT /strict/1', { 'if-none-match': '*' })).statusCode, 412)
    const part = await send(app, 'PUT /strict/1', { 'if-match': etag, 'content-range': 'bytes 0-4/100' })
    t.match(part.json(), { statusCode: 400, code: 'FST_IF_MATCH_CONTENT_RANGE' })
    t.equal(await tagOf(storage), etag)
    const written = await send(app, 'PUT /strict/1', { 'if-match': etag })
    t.equal(written.statusCode, 200)
    t.equal(written.json().headers['if-match'], undefined, 'Fastify has removed it')
  }
})

await t.test('the handler cannot change the precondition that it was entered under', async (t) => {
  const { app, storage } = await offersApp(t, {}, (app) => {
    app.put('/late/:id', { config: { ifMatch: { key: '/offers/:id', precheck: false } } }, async (request) => {
      request.headers['if-match'] = '*'
      return (await request.entity().replace({ title: 'sent' })).value
    })
  })
  await seed(storage)
  t.equal((await send(app, 'PUT /late/1', { 'if-match': '"x"' })).statusCode, 412)
})
