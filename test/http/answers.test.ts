import { once } from 'node:events'
import { connect } from 'node:http2'
import { Readable } from 'node:stream'
import t from 'tap'
import type { Test } from 'tap'
import type { FastifyReply } from 'fastify'
import type { EntityTag, IfMatchRouteOptions, StorageAdapter } from 'fastify-if-match'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { ANY } from '../support/expectations.js'
import { listen, offersApp, seed, send, statusOf, tagOf, type Offer } from '../support/offers-app.js'

const OFFERS = { ifMatch: { key: '/offers/:id' } }

await t.test('a read returns the tag of what it returns, from one snapshot (RFC 9110 8.8.3)', async (t) => {
  let reads = 0
  const storage = memoryAdapter({
    around (step, operation) {
      if (operation === 'read') reads++
      return step()
    }
  })
  const { app } = await offersApp(t, { storage }, (app) => {
    app.get('/raced/:id', { config: OFFERS }, async (request) => {
      await storage.write('/offers/1', { title: 'other' }, ANY)
      return (await request.entity().read()).value
    })
  })
  const etag = await seed(storage)
  const response = await app.inject('/raced/1')
  t.same([response.json(), response.headers.etag], [{ title: 'seeded' }, etag])
  t.equal(reads, 1)
})

await t.test('every applied write answers its new tag, also if it writes the same content again', async (t) => {
  const { app } = await offersApp(t)
  const tags = new Set<unknown>()
  for (const headers of [{ 'if-none-match': '*' }, { 'if-match': '*' }, { 'if-match': '*' }]) {
    tags.add((await send(app, 'PUT /offers/1', headers, { title: 'same' })).headers.etag)
  }
  const patched = await send(app, 'PATCH /offers/1', { 'if-match': '*' })
  tags.add(patched.headers.etag)
  t.equal(tags.size, 4)
  t.equal((await app.inject('/offers/1')).headers.etag, patched.headers.etag)
})

await t.test('a write answers with what is stored, where the adapter gives it: null is a value, and nothing given is what was sent', async (t) => {
  const memory = memoryAdapter()
  const given: unknown[] = [{ title: 'trimmed' }, null, 0, undefined]
  const storage: StorageAdapter = {
    ...memory,
    async write (...call) {
      const result = await memory.write(...call)
      return result.applied ? { ...result, value: given.shift() } : result
    }
  }
  const { app } = await offersApp(t, { storage }, (app) => {
    app.put('/saved/:id', { config: OFFERS }, async (request) =>
      ({ value: (await request.entity().replace(request.body)).value }))
  })
  await seed(memory)
  for (const value of [{ title: 'trimmed' }, null, 0, { title: ' sent ' }]) {
    t.strictSame((await send(app, 'PUT /saved/1', { 'if-match': '*' }, { title: ' sent ' })).json(), { value })
  }
  given.push({ title: 'of the update' })
  t.strictSame((await send(app, 'PATCH /offers/1', { 'if-match': '*' })).json(), { title: 'of the update' })
})

await t.test('the success of a DELETE carries no tag (RFC 9110 9.3.5), and a recreated entity no old one (8.8.1)', async (t) => {
  const { app } = await offersApp(t)
  const first = await send(app, 'PUT /offers/1', { 'if-none-match': '*' }, { title: 'a' })
  const removed = await send(app, 'DELETE /offers/1', { 'if-match': first.headers.etag })
  t.same([removed.statusCode, removed.headers.etag], [204, undefined])
  const second = await send(app, 'PUT /offers/1', { 'if-none-match': '*' }, { title: 'a' })
  t.not(second.headers.etag, first.headers.etag)
  t.equal(await statusOf(app, 'PUT /offers/1', { 'if-match': first.headers.etag }), 412)
})

await t.test('412 carries the current tag, so that a client can go on, and 404 carries none', async (t) => {
  const { app, storage } = await offersApp(t)
  const etag = await seed(storage)
  t.equal((await send(app, 'DELETE /offers/1', { 'if-match': '"x"' })).headers.etag, etag)
  t.equal((await send(app, 'GET /offers/1', { 'if-match': '"x"' })).headers.etag, etag)
  t.equal((await app.inject('/offers/2')).headers.etag, undefined)
  const absent = await send(app, 'PUT /offers/2', { 'if-match': '"x"' })
  t.same([absent.statusCode, absent.headers.etag], [412, undefined])
})

await t.test('304 comes after the handler: it carries its Cache-Control and Vary, and nothing about a body (RFC 9110 15.4.5)', async (t) => {
  const { app, storage } = await offersApp(t, {}, (app) => {
    app.get('/own/:id', { config: OFFERS }, async (request, reply) => {
      reply.headers({
        'cache-control': 'private, max-age=5',
        vary: 'accept',
        'content-language': 'en',
        'content-location': '/offers/1',
        'last-modified': 'Thu, 01 Jan 1970 00:00:00 GMT'
      })
      return (await request.entity().read()).value
    })
  })
  const etag = await seed(storage)
  for (const method of ['GET', 'HEAD']) {
    const response = await send(app, `${method} /own/1`, { 'if-none-match': `"x", W/${etag}` })
    t.equal(response.statusCode, 304)
    t.equal(response.body, '')
    const { date, connection, ...rest } = response.headers
    t.ok(date)
    t.same(rest, { etag, 'cache-control': 'private, max-age=5', vary: 'accept', 'content-location': '/offers/1' })
  }
})

await t.test('304 spares the serialisation', async (t) => {
  let serialised = 0
  const { app, storage } = await offersApp(t, {}, (app) => {
    app.setReplySerializer((payload) => { serialised++; return JSON.stringify(payload) })
  })
  const etag = await seed(storage)
  t.equal(await statusOf(app, 'GET /offers/1', { 'if-none-match': etag }), 304)
  t.equal(serialised, 0)
  t.equal(await statusOf(app, 'GET /offers/1'), 200)
  t.equal(serialised, 1)
})

await t.test('304 for strings, buffers, streams and empty answers, whose streams are released', async (t) => {
  const streams: Readable[] = []
  const answers: Record<string, (reply: FastifyReply) => unknown> = {
    string: (reply) => reply.send('text'),
    buffer: (reply) => reply.send(Buffer.from('bytes')),
    stream: (reply) => { streams.push(Readable.from(['a'])); return reply.send(streams.at(-1)) },
    web: (reply) => reply.send(new Response('web').body),
    response: (reply) => reply.send(new Response('web')),
    failing: (reply) => reply.send(new ReadableStream({ cancel () { throw new Error('cannot be cancelled') } })),
    empty: (reply) => reply.send()
  }
  const { app, storage } = await offersApp(t, {}, (app) => {
    app.get('/:form/:id', { config: OFFERS }, async (request, reply) => {
      await answers[(request.params as { form: string }).form]!(reply)
      return reply
    })
  })
  const etag = await seed(storage)
  for (const form of Object.keys(answers)) {
    for (const method of ['GET', 'HEAD']) {
      const response = await send(app, `${method} /${form}/1`, { 'if-none-match': etag })
      t.same([response.statusCode, response.body, response.headers.etag], [304, '', etag], `${method} ${form}`)
      t.equal(response.headers['content-length'], undefined, 'no length of a body that is absent (RFC 9110 8.6)')
      t.equal(response.headers['content-type'], undefined)
    }
  }
  t.ok(streams.length === 2 && streams.every((stream) => stream.destroyed))
  const full = await app.inject('/stream/1')
  t.same([full.statusCode, full.body, full.headers.etag], [200, 'a', etag])
})

await t.test('a status other than success does not become a 304, and carries no tag (RFC 9110 13.2.1)', async (t) => {
  const { app, storage } = await offersApp(t, {}, (app) => {
    app.get('/own/:id', { config: OFFERS }, async (_request, reply) => await reply.code(409).send({ own: true }))
  })
  const etag = await seed(storage)
  const { statusCode, headers } = await send(app, 'GET /own/1', { 'if-none-match': etag })
  t.same([statusCode, headers.etag, headers['cache-control']], [409, undefined, 'no-store'])
})

await t.test('an error on the way to a 304 is that error, with its own headers', async (t) => {
  const { app, storage } = await offersApp(t, {}, (app) => {
    app.addHook('onSend', async (_request, reply) => { if (reply.statusCode === 304) throw new Error('in a hook') })
  })
  const etag = await seed(storage)
  const response = await send(app, 'GET /offers/1', { 'if-none-match': etag })
  t.same([response.statusCode, response.headers.etag], [500, undefined])
  t.match(response.headers['content-type'], /^application\/json/)
})

await t.test('an error on the way to a 304 has its body, also from an error handler of the app', async (t) => {
  for (const body of [{ own: 'form' }, '{"own":"text"}']) {
    const { app, storage } = await offersApp(t, {}, (app) => {
      app.addHook('onSend', (_request, reply, _payload, done) => {
        if (reply.statusCode === 304) done(new Error('in a hook'))
        else done()
      })
      app.setErrorHandler((_error, _request, reply) => reply.code(500).type('application/json').send(body))
    })
    const etag = await seed(storage)
    const response = await send(app, 'GET /offers/1', { 'if-none-match': etag })
    t.same([response.statusCode, response.body], [500, typeof body === 'string' ? body : JSON.stringify(body)])
  }
})

await t.test('headers of a success do not stay on an error that takes its place', async (t) => {
  const { app, storage } = await offersApp(t, {}, (app) => {
    app.get('/broken/:id', { config: OFFERS }, async (_request, reply) =>
      await reply.send(new Readable({ read () { this.destroy(new Error('no such file')) } })))
  })
  await seed(storage)
  const { statusCode, headers } = await app.inject('/broken/1')
  t.same([statusCode, headers.etag, headers['cache-control']], [500, undefined, 'no-store'])
})

await t.test('a DELETE that does its work by an update carries no tag either', async (t) => {
  const { app, storage } = await offersApp(t, {}, (app) => {
    app.delete('/soft/:id', { config: OFFERS }, async (request, reply) => {
      await request.entity<object>().update((offer) => ({ ...offer, isRemoved: true }))
      return await reply.code(204).send()
    })
  })
  const etag = await seed(storage)
  const response = await send(app, 'DELETE /soft/1', { 'if-match': etag })
  t.same([response.statusCode, response.headers.etag], [204, undefined])
})

await t.test('guarded reads say Cache-Control: no-cache unless the app says otherwise; writes do not', async (t) => {
  const { app, storage } = await offersApp(t)
  const etag = await seed(storage)
  const cacheControl = async (...request: Parameters<typeof send>): Promise<unknown> =>
    (await send(...request)).headers['cache-control']
  t.equal(await cacheControl(app, 'GET /offers/1'), 'no-cache')
  t.equal(await cacheControl(app, 'GET /offers/1', { 'if-none-match': etag }), 'no-cache')
  t.equal(await cacheControl(app, 'PATCH /offers/1', { 'if-match': '*' }), undefined)
  t.equal(await cacheControl(app, 'PATCH /offers/2', { 'if-match': '*' }), undefined)
})

await t.test('an error of a guarded read is kept by no cache, and a redirect is revalidated, unless the app says otherwise (RFC 9110 15.1)', async (t) => {
  const { app } = await offersApp(t, {}, (app) => {
    app.addHook('onRequest', async (request, reply) => {
      const status = request.headers['x-early']
      if (status !== undefined) return await reply.code(Number(status)).send()
    })
    app.setErrorHandler(async (error: { statusCode: number }, request, reply) => {
      if (request.headers['x-own'] !== undefined) reply.header('cache-control', 'max-age=5')
      return await reply.code(error.statusCode).send({ own: true })
    })
    app.get('/own/:status', { config: { ifMatch: { precheck: false } } }, async (request, reply) => {
      if (request.headers['x-own'] !== undefined) reply.header('cache-control', 'max-age=5')
      return await reply.code(Number((request.params as { status: string }).status)).send()
    })
  })
  for (const method of ['GET', 'HEAD']) {
    const cacheControl = async (url: string, headers = {}): Promise<unknown> =>
      (await send(app, `${method} ${url}`, headers)).headers['cache-control']
    t.equal(await cacheControl('/offers/2'), 'no-store', 'the 404 of the plugin, by an error handler')
    t.equal(await cacheControl('/offers/2', { 'x-own': '1' }), 'max-age=5')
    t.equal(await cacheControl('/offers/2', { 'x-early': '404' }), 'no-store', 'ahead of our first hook')
    for (const status of [401, 403, 404, 405, 410, 414, 501, 503]) {
      t.equal(await cacheControl(`/own/${status}`), 'no-store', `${method} ${status}`)
      t.equal(await cacheControl(`/own/${status}`, { 'x-own': '1' }), 'max-age=5')
    }
    for (const status of [200, 203, 204, 300, 301, 302, 304, 308]) {
      t.equal(await cacheControl(`/own/${status}`), 'no-cache', `${method} ${status}`)
      t.equal(await cacheControl(`/own/${status}`, { 'x-own': '1' }), 'max-age=5')
    }
    t.equal(await cacheControl('/own/400', { 'x-own': '1' }), 'no-store', 'a refusal is never kept')
  }
})

/** An app whose handlers answer with a `Response`, as the headers of the request say. */
async function responseApp (t: Test, make: () => Response, options = {}) {
  return await offersApp(t, {}, (app) => {
    app.get('/web/:id', { config: OFFERS }, async (request) => {
      if (request.headers['x-unread'] === undefined) await request.entity().read()
      return make()
    })
    const method = ['PUT', 'PATCH', 'POST', 'DELETE']
    app.route({ method, url: '/web/:id', config: OFFERS, handler: async () => make() })
    app.put('/written/:id', { config: OFFERS }, async (request) => {
      await request.entity().replace({ title: 'written' })
      return make()
    })
    app.put('/pending/:id', { config: OFFERS }, async (request) => {
      void request.entity().replace({ title: 'pending' })
      return make()
    })
    app.delete('/removed/:id', { config: OFFERS }, async (request) => {
      await request.entity().remove()
      return make()
    })
  }, options)
}

await t.test('the status of a Response counts: an error does not become a 304, nor is a refusal a forgotten write', async (t) => {
  for (const status of [302, 404, 409, 503]) {
    const { app, storage } = await responseApp(t, () => new Response(`is ${status}`, { status }))
    const etag = await seed(storage)
    for (const method of ['GET', 'HEAD']) {
      const response = await send(app, `${method} /web/1`, { 'if-none-match': etag })
      t.same([response.statusCode, response.headers.etag], [status, undefined], method)
      t.equal(response.body, method === 'GET' ? `is ${status}` : '')
    }
    for (const method of ['PUT', 'PATCH', 'POST', 'DELETE']) {
      const response = await send(app, `${method} /web/1`, { 'if-match': etag })
      const isError = status >= 400
      t.equal(response.statusCode, isError ? status : 500, method)
      if (isError) t.equal(response.body, `is ${status}`)
      else t.equal(response.json().code, 'FST_IF_MATCH_NOT_WRITTEN')
    }
    t.equal(await tagOf(storage), etag)
  }
})

await t.test('the headers of a Response count, and its etag does not take the place of ours', async (t) => {
  const init: ResponseInit = {
    headers: [
      ['etag', '"own"'],
      ['set-cookie', 'a=1'],
      ['set-cookie', 'b=2'],
      ['x-own', 'yes'],
      ['content-type', 'text/x']
    ]
  }
  const { app, storage } = await responseApp(t, () => new Response('body', init))
  const etag = await seed(storage)
  for (const method of ['GET', 'HEAD']) {
    const { statusCode, headers, body } = await send(app, `${method} /web/1`)
    t.same([statusCode, headers.etag, headers['x-own'], headers['content-type']], [200, etag, 'yes', 'text/x'], method)
    t.same([headers['set-cookie'], headers['cache-control']], [['a=1', 'b=2'], 'no-cache'])
    t.equal(body, method === 'GET' ? 'body' : '')
    const copy = await send(app, `${method} /web/1`, { 'if-none-match': etag })
    t.same([copy.statusCode, copy.body, copy.headers.etag], [304, '', etag])
    t.same([copy.headers['content-type'], copy.headers['x-own']], [undefined, 'yes'])
    t.equal(await statusOf(app, `${method} /web/1`, { 'if-none-match': '"own"' }), 200)
  }
  const put = await send(app, 'PUT /written/1', { 'if-match': etag })
  t.same([put.statusCode, put.headers.etag, put.body], [200, await tagOf(storage), 'body'])
  const pending = await send(app, 'PUT /pending/1', { 'if-match': put.headers.etag })
  t.same([pending.statusCode, pending.headers.etag], [200, await tagOf(storage)], 'its write was waited for')
  const stale = await send(app, 'PUT /pending/1', { 'if-match': '*' })
  t.equal(stale.statusCode, 200)
  const removed = await send(app, 'DELETE /removed/1', { 'if-match': '*' })
  t.same([removed.statusCode, removed.headers.etag], [200, undefined])
  const forgot = await send(app, 'POST /web/1', { 'if-none-match': '"x"', 'if-match': '*' })
  t.not(forgot.headers['x-own'], 'yes', 'an error that takes its place has none of its headers')
})

await t.test('a Response without a body, of an error of fetch, and one that was read already', async (t) => {
  const used = async (): Promise<Response> => {
    const response = new Response('once', { headers: { 'x-own': 'yes' } })
    await response.text()
    return response
  }
  const consumed = await used()
  for (const [make, status] of [
    [() => new Response(null, { status: 204 }), 204],
    [() => new Response(null), 200],
    [() => Response.error(), 500],
    [() => consumed, 500]
  ] as Array<[() => Response, number]>) {
    const { app, storage } = await responseApp(t, make)
    await seed(storage)
    for (const request of ['GET /web/1', 'HEAD /web/1', 'PUT /written/1']) {
      const response = await send(app, request, { 'if-match': '*' })
      t.equal(response.statusCode, status, request)
      t.equal(response.headers.etag === undefined, status === 500)
    }
  }
})

await t.test('the body of a Response that becomes a 304 is cancelled, and a Response is as good over HTTP/2', async (t) => {
  let cancelled = 0
  const make = (): Response => new Response(new ReadableStream({
    pull (controller) {
      controller.enqueue(new TextEncoder().encode('web'))
      controller.close()
    },
    cancel () { cancelled++ }
  }, { highWaterMark: 0 }), { headers: { etag: '"own"' } })
  const { app, storage } = await responseApp(t, make, { http2: true })
  const etag = await seed(storage)
  const session = connect(`http://127.0.0.1:${await listen(app)}`)
  t.teardown(() => { session.close() })
  const get = async (method: string, headers = {}): Promise<[unknown, unknown, string]> => {
    const stream = session.request({ ':method': method, ':path': '/web/1', ...headers })
    const [head] = await once(stream, 'response') as [Record<string, unknown>]
    let body = ''
    for await (const chunk of stream.setEncoding('utf8')) body += chunk as string
    return [head[':status'], head['etag'], body]
  }
  t.same(await get('GET'), [200, etag, 'web'])
  t.same(await get('GET', { 'if-none-match': etag }), [304, etag, ''])
  t.equal(cancelled, 1)
  t.same(await get('HEAD'), [200, etag, ''])
  t.same(await get('HEAD', { 'if-none-match': etag }), [304, etag, ''])
})

await t.test('answers without a body have no trailers, which Node.js refuses or nobody could send (RFC 9110 6.5), and errors with trailers no Content-Length (RFC 9112 6.2)', async (t) => {
  for (const http2 of [false, true]) {
    const { app, storage } = await offersApp(t, {}, (app) => {
      app.addHook('onRequest', async (_request, reply) => { reply.trailer('x-sum', async () => 'sum') })
    }, (http2 ? { http2 } : {}) as never)
    const etag = await seed(storage)
    const port = await listen(app)
    for (const [method, headers, status] of [
      ['GET', { 'if-none-match': etag }, 304],
      ['HEAD', { 'if-none-match': etag }, 304],
      ['HEAD', {}, 200],
      ['GET', {}, 200],
      ['PUT', { 'if-match': '"stale"' }, 412],
      ['PUT', {}, 400],
      ['DELETE', { 'if-match': etag }, 204],
      ['GET', {}, 404]
    ] as Array<[string, Record<string, string>, number]>) {
      const trailer = method === 'HEAD' || status === 304 || status === 204 ? undefined : 'x-sum'
      if (http2) {
        const session = connect(`http://127.0.0.1:${port}`)
        const stream = session.request({ ':method': method, ':path': '/offers/1', ...headers }, { endStream: true })
        const [head] = await once(stream, 'response') as [Record<string, unknown>]
        stream.resume()
        await once(stream, 'close')
        session.close()
        t.same([head[':status'], head['trailer']], [status, trailer])
      } else {
        const response = await fetch(`http://127.0.0.1:${port}/offers/1`, { method, headers })
        await response.text()
        t.same([response.status, response.headers.get('trailer')], [status, trailer ?? null], method)
        if (trailer !== undefined) t.equal(response.headers.get('content-length'), null)
      }
    }
  }
})

await t.test('a version that cannot be a tag is 500, on reads and on writes (FST_IF_MATCH_INVALID_VERSION)', async (t) => {
  for (const version of ['a"b', '', 'a b', undefined] as string[]) {
    const { app } = await offersApp(t, {
      storage: {
        read: async () => ({ value: {}, version }),
        write: async () => ({ applied: true, version, created: false }),
        remove: async () => ({ applied: false, current: { value: {}, version } })
      }
    })
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const response = await send(app, `${method} /offers/1`, { 'if-match': '*' })
      t.equal(response.statusCode, 500, `${method} ${version}`)
      t.equal(response.json().code, 'FST_IF_MATCH_INVALID_VERSION')
    }
  }
})

/** Routes that answer an offer as JSON or as CSV, each way in which a handler may come by the latter. */
async function variantsApp (t: Test, options: IfMatchRouteOptions = {}) {
  const forms: Record<string, (title: string, reply: FastifyReply) => unknown> = {
    string: (title) => title,
    buffer: (title) => Buffer.from(title),
    stream: (title) => Readable.from([title]),
    late: (title, reply) => { reply.header('x-late', 'text/csv'); return { title } }
  }
  const variant: IfMatchRouteOptions['variant'] = (_request, reply) =>
    String(reply.getHeader('content-type')).startsWith('text/csv') ? 'csv' : undefined
  const { app, storage } = await offersApp(t, {}, (app) => {
    // What another plugin does on the way out, when hooks of preSerialization are over.
    app.addHook('onSend', async (_request, reply) => {
      if (reply.getHeader('x-late') !== undefined) reply.header('content-type', 'text/csv')
    })
    app.route({
      method: ['GET', 'PUT', 'PATCH', 'DELETE', 'POST'],
      url: '/:form/:id',
      config: { ifMatch: { key: '/offers/:id', variant, ...options } },
      handler: async (request, reply) => {
        const entity = request.entity<Offer>()
        if (request.method === 'DELETE') return await entity.remove()
        if (request.method !== 'GET' && request.method !== 'HEAD') {
          return (await entity.replace(request.body as Offer)).value
        }
        const { value } = await entity.read()
        reply.header('vary', 'accept')
        if (request.headers.accept !== 'text/csv') return value
        const { form } = request.params as { form: string }
        if (form !== 'late') reply.type('text/csv')
        return forms[form]!(value.title, reply)
      }
    })
  })
  return { app, storage, forms: Object.keys(forms) }
}

await t.test('variants: each has a strong tag of its own, and 304 is about the variant that was asked for (RFC 9110 8.8.1)', async (t) => {
  const { app, storage, forms } = await variantsApp(t)
  const json = await seed(storage)
  const csv = json.replace(/"$/, ';csv"')
  for (const form of forms) {
    for (const method of ['GET', 'HEAD']) {
      const ask = async (accept: string, copies?: string) => {
        const headers = { accept, ...(copies !== undefined && { 'if-none-match': copies }) }
        const response = await send(app, `${method} /${form}/1`, headers)
        return [response.statusCode, response.headers.etag, response.headers.vary]
      }
      t.same(await ask('application/json'), [200, json, 'accept'], `${method} ${form}`)
      t.same(await ask('text/csv'), [200, csv, 'accept'])
      t.same(await ask('text/csv', json), [200, csv, 'accept'], 'the copy is of the JSON')
      t.same(await ask('application/json', csv), [200, json, 'accept'], 'the copy is of the CSV')
      for (const copies of [csv, `W/${csv}`, `"x", ${json}, ${csv}`, '*']) {
        t.same(await ask('text/csv', copies), [304, csv, 'accept'], copies)
      }
      t.same(await ask('application/json', `${csv}, ${json}`), [304, json, 'accept'])
    }
  }
})

await t.test('variants: If-Match takes the tag of any, on every method; what a write and a 412 answer is the tag of none', async (t) => {
  const { app, storage } = await variantsApp(t)
  const csvOf = (tag: string): string => tag.replace(/"$/, ';csv"')
  for (const method of ['GET', 'HEAD', 'PUT', 'PATCH', 'POST', 'DELETE']) {
    const etag = await seed(storage)
    for (const stale of ['"x;csv"', `W/${csvOf(etag)}`]) {
      const { statusCode, headers } = await send(app, `${method} /string/1`, { 'if-match': stale })
      t.same([statusCode, headers.etag], [412, etag], `${method} ${stale}`)
    }
    const listed = await send(app, `${method} /string/1`, { 'if-match': `"x;csv", ${csvOf(etag)}` }, { title: 'new' })
    const after = method === 'DELETE' ? undefined : await tagOf(storage)
    t.same([listed.statusCode, listed.headers.etag], [200, after], method)
  }
  const etag = await seed(storage)
  const headers = { 'if-match': '*', 'if-none-match': csvOf(etag) }
  t.equal(await statusOf(app, 'PUT /string/1', headers), 412, 'the same on a write that must not meet a version')
})

await t.test('variants beside compare: a function is given the whole tag, and opaque accepts a weak one', async (t) => {
  for (const [compare, change] of [
    ['opaque', (tag: string) => `W/${tag}`],
    [
      ({ opaque, weak }: EntityTag) => ({ opaque: opaque.replace(/-proxy$/, ''), weak }),
      (tag: string) => tag.replace(/"$/, '-proxy"')
    ]
  ] as const) {
    const { app, storage } = await variantsApp(t, { compare })
    const csv = (await seed(storage)).replace(/"$/, ';csv"')
    t.equal(await statusOf(app, 'GET /string/1', { accept: 'text/csv', 'if-none-match': change(csv) }), 304)
    t.equal(await statusOf(app, 'GET /string/1', { 'if-none-match': change(csv) }), 200)
    t.equal(await statusOf(app, 'PUT /string/1', { 'if-match': change(csv) }), 200)
  }
})

await t.test('variants: what the function throws, and a name that cannot be in a tag, is a 500 without a tag', async (t) => {
  const wrong: Record<string, () => unknown> = {
    throws: () => { throw new Error('no such variant') },
    'text/csv; charset=utf-8': () => 'text/csv; charset=utf-8',
    empty: () => '',
    coding: () => 'gzip',
    null: () => null,
    promise: async () => { throw new Error('late') }
  }
  const { app, storage } = await offersApp(t, {}, (app) => {
    for (const [name, variant] of Object.entries(wrong)) {
      const config = { ifMatch: { key: '/offers/:id', variant: variant as () => string } }
      app.get(`/${encodeURIComponent(name)}/:id`, { config }, async (request) => (await request.entity().read()).value)
      app.get(`/gone/${encodeURIComponent(name)}/:id`, { config }, async (_request, reply) => reply.code(410).send({}))
    }
  })
  const etag = await seed(storage)
  for (const name of Object.keys(wrong)) {
    const path = encodeURIComponent(encodeURIComponent(name))
    for (const request of [`GET /${path}/1`, `HEAD /${path}/1`]) {
      const { statusCode, headers, body } = await send(app, request, { 'if-none-match': etag })
      t.same([statusCode, headers.etag], [500, undefined], `${request}: ${body}`)
      if (name !== 'throws' && request.startsWith('GET')) {
        t.match(JSON.parse(body), { code: 'FST_IF_MATCH_INVALID_OPTIONS', message: /GET \/.*"variant"/ })
      }
    }
    t.equal(await statusOf(app, `GET /gone/${path}/1`), 410, 'only a success is a variant of the entity')
  }
})

const WEAK = /^If-Match is false: .* weak .*strong.* 8\.8\.3\.2.*gateway.*compress.*compare: 'opaque'/

await t.test('the current tag that was sent weak, or with a content-coding appended, is refused with its reason and what to do (RFC 9110 8.8.3.2)', async (t) => {
  const { app, storage } = await offersApp(t)
  const { app: unchecked } = await offersApp(t, { storage, precheck: false })
  const etag = await seed(storage)
  for (const server of [app, unchecked]) {
    for (const method of ['GET', 'PUT', 'PATCH', 'DELETE', 'POST']) {
      for (const value of [`W/${etag}`, `"x", W/${etag}`]) {
        const response = await send(server, `${method} /offers/1`, { 'if-match': value })
        t.equal(response.statusCode, 412)
        t.match(response.json().message, WEAK, method)
      }
      for (const value of [`${etag.slice(0, -1)}-gzip"`, `W/${etag.slice(0, -1)}--br"`]) {
        const response = await send(server, `${method} /offers/1`, { 'if-match': value })
        t.equal(response.statusCode, 412)
        t.match(response.json().message, /current version with a content-coding.*gateway.*compare/, value)
      }
      const stale = await send(server, `${method} /offers/1`, { 'if-match': 'W/"x"' })
      t.notMatch(stale.json().message, /weak/, 'it is another version, weak or not')
    }
  }
  const { app: opaque } = await offersApp(t, { storage, compare: 'opaque' })
  t.equal((await send(opaque, 'PUT /offers/1', { 'if-match': `W/${etag}` })).statusCode, 200)
})

await t.test('the message of a refusal names a next step that this request can take', async (t) => {
  const messageOf = async (
    options: IfMatchRouteOptions,
    exists: boolean,
    method: string,
    headers: Record<string, string>
  ): Promise<string> => {
    const { app, storage } = await offersApp(t, options)
    if (exists) await seed(storage)
    const response = await send(app, `${method} /offers/1`, headers)
    t.ok([404, 412].includes(response.statusCode))
    return response.json().message
  }
  const stale = { 'if-match': '"x"' }
  const none = { 'if-none-match': '*' }
  t.match(await messageOf({}, true, 'PUT', stale), /Read it again, apply your change .* new ETag/)
  t.match(await messageOf({}, true, 'GET', stale), /Read it again without If-Match/)
  t.match(await messageOf({}, true, 'DELETE', stale), /Read it again, and send its new ETag/)
  t.match(await messageOf({}, true, 'PUT', none), /^If-None-Match is false: the entity exists already.*If-Match/)
  t.match(await messageOf({}, false, 'PUT', stale), /no such entity.*To create it, send "If-None-Match: \*"/)
  for (const [options, method] of [[{}, 'PATCH'], [{}, 'DELETE'], [{}, 'GET'], [{ create: false }, 'PUT']] as const) {
    const message = await messageOf({ ...options, absent: 412 }, false, method, stale)
    t.match(message, /there is no such entity.*Check the address/, method)
    t.notMatch(message, /If-None-Match/, method)
    t.match(await messageOf(options, false, method, stale), /no such entity.*Check the address/, method)
  }
})

await t.test('create() on a route that may not create is a mistake of the server, which names the option (FST_IF_MATCH_INVALID_OPTIONS)', async (t) => {
  const cases: Array<[string, IfMatchRouteOptions, Record<string, string>]> = [
    ['POST', {}, { 'if-match': '*' }],
    ['POST', { absent: 412 }, { 'if-match': '*' }],
    ['PATCH', { missing: 'allow' }, {}],
    ['POST', { missing: 'allow' }, { 'if-none-match': '"x"' }],
    ['PUT', { create: false }, { 'if-match': '*' }]
  ]
  for (const [method, options, headers] of cases) {
    const { app, storage } = await offersApp(t, {}, (app) => {
      const config = { ifMatch: { key: '/offers/:id', precheck: false, ...options } }
      app.route({ method, url: '/new/:id', config, handler: async (request) => await request.entity().create({}) })
    })
    const wrong = await send(app, `${method} /new/1`, headers)
    t.match(wrong.json(), { statusCode: 500, code: 'FST_IF_MATCH_INVALID_OPTIONS' })
    t.match(wrong.json().message, new RegExp(`of ${method} /new/:id .*"create"`))
    const etag = await seed(storage)
    const exists = await send(app, `${method} /new/1`, headers)
    t.same([exists.statusCode, exists.headers.etag], [412, etag])
    t.match(exists.json().message, /exists already/)
    t.notMatch(exists.json().message, /If-None-Match is false/, 'the client did not send it')
  }
})
