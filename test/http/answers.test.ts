import { Readable } from 'node:stream'
import t from 'tap'
import type { FastifyReply } from 'fastify'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { offersApp, seed } from '../support/offers-app.js'

await t.test('a read returns the tag of what it returns, from one snapshot (R3)', async (t) => {
  const storage = memoryAdapter()
  let reads = 0
  const { app } = await offersApp(
    t,
    {
      storage: {
        ...storage,
        read: async (key, options) => {
          reads++
          return await storage.read(key, options)
        }
      }
    },
    (app) => {
      app.get('/raced/:id', { config: { ifMatch: { key: '/offers/:id' } } }, async (request) => {
        await storage.write('/offers/1', { title: 'other' }, { kind: 'any' })
        return (await request.entity().read()).value
      })
    }
  )
  const etag = await seed(storage)
  const response = await app.inject('/raced/1')
  t.same([response.json(), response.headers.etag], [{ title: 'seeded' }, etag])
  t.equal(reads, 1)
})

await t.test('every applied write answers its new tag, the same content written again, too (R6, R65 deviation)', async (t) => {
  const { app } = await offersApp(t)
  const tags = new Set<unknown>()
  for (const headers of [{ 'if-none-match': '*' }, { 'if-match': '*' }, { 'if-match': '*' }]) {
    tags.add((await app.inject({ method: 'PUT', url: '/offers/1', headers, payload: { title: 'same' } })).headers.etag)
  }
  const patched = await app.inject({ method: 'PATCH', url: '/offers/1', headers: { 'if-match': '*' }, payload: {} })
  tags.add(patched.headers.etag)
  t.equal(tags.size, 4)
  t.equal((await app.inject('/offers/1')).headers.etag, patched.headers.etag)
})

await t.test('the success of a DELETE carries no tag (R66), and a recreated entity no old one (R14b)', async (t) => {
  const { app } = await offersApp(t)
  const first = await app.inject({
    method: 'PUT',
    url: '/offers/1',
    headers: { 'if-none-match': '*' },
    payload: { title: 'a' }
  })
  const removed = await app.inject({
    method: 'DELETE',
    url: '/offers/1',
    headers: { 'if-match': first.headers.etag as string }
  })
  t.same([removed.statusCode, removed.headers.etag], [204, undefined])
  const second = await app.inject({
    method: 'PUT',
    url: '/offers/1',
    headers: { 'if-none-match': '*' },
    payload: { title: 'a' }
  })
  t.not(second.headers.etag, first.headers.etag)
  t.equal(
    (
      await app.inject({
        method: 'PUT',
        url: '/offers/1',
        headers: { 'if-match': first.headers.etag as string },
        payload: {}
      })
    ).statusCode,
    412
  )
})

await t.test('412 carries the current tag, so that a client can go on (R63), and 404 none', async (t) => {
  const { app, storage } = await offersApp(t)
  const etag = await seed(storage)
  t.equal((await app.inject({ method: 'DELETE', url: '/offers/1', headers: { 'if-match': '"x"' } })).headers.etag, etag)
  t.equal((await app.inject({ url: '/offers/1', headers: { 'if-match': '"x"' } })).headers.etag, etag)
  t.equal((await app.inject('/offers/2')).headers.etag, undefined)
  const absent = await app.inject({ method: 'PUT', url: '/offers/2', headers: { 'if-match': '"x"' }, payload: {} })
  t.same([absent.statusCode, absent.headers.etag], [412, undefined])
})

await t.test('304 comes after the handler: it carries its Cache-Control and Vary, and nothing about a body (R40, R61)', async (t) => {
  const { app, storage } = await offersApp(t, {}, (app) => {
    app.get('/own/:id', { config: { ifMatch: { key: '/offers/:id' } } }, async (request, reply) => {
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
  for (const method of ['GET', 'HEAD'] as const) {
    const response = await app.inject({ method, url: '/own/1', headers: { 'if-none-match': `"x", W/${etag}` } })
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
  t.equal((await app.inject({ url: '/offers/1', headers: { 'if-none-match': etag } })).statusCode, 304)
  t.equal(serialised, 0)
  t.equal((await app.inject({ url: '/offers/1' })).statusCode, 200)
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
    app.get('/:form/:id', { config: { ifMatch: { key: '/offers/:id' } } }, async (request, reply) => {
      await answers[(request.params as { form: string }).form]!(reply)
      return reply
    })
  })
  const etag = await seed(storage)
  for (const form of Object.keys(answers)) {
    for (const method of ['GET', 'HEAD'] as const) {
      if (form === 'response' && method === 'HEAD') continue // Fastify's own HEAD hook cannot take one
      const response = await app.inject({ method, url: `/${form}/1`, headers: { 'if-none-match': etag } })
      t.same([response.statusCode, response.body, response.headers.etag], [304, '', etag], `${method} ${form}`)
      t.equal(response.headers['content-length'], undefined, 'no length of a body that is not there (RFC 9110 8.6)')
      t.equal(response.headers['content-type'], undefined)
    }
  }
  t.ok(streams.length === 2 && streams.every((stream) => stream.destroyed))
  const full = await app.inject('/stream/1')
  t.same([full.statusCode, full.body, full.headers.etag], [200, 'a', etag])
})

await t.test('a status other than success is not turned into 304, and carries no tag (R45)', async (t) => {
  const { app, storage } = await offersApp(t, {}, (app) => {
    app.get(
      '/own/:id',
      { config: { ifMatch: { key: '/offers/:id' } } },
      async (_request, reply) => await reply.code(409).send({ own: true })
    )
  })
  const etag = await seed(storage)
  const response = await app.inject({ url: '/own/1', headers: { 'if-none-match': etag } })
  t.same([response.statusCode, response.headers.etag, response.headers['cache-control']], [409, undefined, undefined])
})

await t.test('an error on the way to a 304 is that error, with its own headers', async (t) => {
  const { app, storage } = await offersApp(t, {}, (app) => {
    app.addHook('onSend', async (_request, reply) => { if (reply.statusCode === 304) throw new Error('in a hook') })
  })
  const etag = await seed(storage)
  const response = await app.inject({ url: '/offers/1', headers: { 'if-none-match': etag } })
  t.same([response.statusCode, response.headers.etag], [500, undefined])
  t.match(response.headers['content-type'], /^application\/json/)
})

await t.test('an error on the way to a 304 has its body, under an error handler of the app as well', async (t) => {
  for (const body of [{ own: 'form' }, '{"own":"text"}']) {
    const { app, storage } = await offersApp(t, {}, (app) => {
      app.addHook('onSend', (_request, reply, _payload, done) => {
        if (reply.statusCode === 304) done(new Error('in a hook'))
        else done()
      })
      app.setErrorHandler((_error, _request, reply) => reply.code(500).type('application/json').send(body))
    })
    const etag = await seed(storage)
    const response = await app.inject({ url: '/offers/1', headers: { 'if-none-match': etag } })
    t.same([response.statusCode, response.body], [500, typeof body === 'string' ? body : JSON.stringify(body)])
  }
})

await t.test('headers that go with a success do not stay on an error that takes its place', async (t) => {
  const { app, storage } = await offersApp(t, {}, (app) => {
    app.get(
      '/broken/:id',
      { config: { ifMatch: { key: '/offers/:id' } } },
      async (_request, reply) =>
        await reply.send(
          new Readable({
            read () {
              this.destroy(new Error('no such file'))
            }
          })
        )
    )
  })
  await seed(storage)
  const response = await app.inject('/broken/1')
  t.same([response.statusCode, response.headers.etag, response.headers['cache-control']], [500, undefined, undefined])
})

await t.test('a DELETE that is done by an update carries no tag either (R66)', async (t) => {
  const { app, storage } = await offersApp(t, {}, (app) => {
    app.delete('/soft/:id', { config: { ifMatch: { key: '/offers/:id' } } }, async (request, reply) => {
      await request.entity<object>().update((offer) => ({ ...offer, isRemoved: true }))
      return await reply.code(204).send()
    })
  })
  const etag = await seed(storage)
  const response = await app.inject({ method: 'DELETE', url: '/soft/1', headers: { 'if-match': etag } })
  t.same([response.statusCode, response.headers.etag], [204, undefined])
})

await t.test('guarded reads say Cache-Control: no-cache unless the app does; writes and errors do not (R71)', async (t) => {
  const { app, storage } = await offersApp(t)
  const etag = await seed(storage)
  t.equal((await app.inject('/offers/1')).headers['cache-control'], 'no-cache')
  t.equal(
    (await app.inject({ url: '/offers/1', headers: { 'if-none-match': etag } })).headers['cache-control'],
    'no-cache'
  )
  t.equal((await app.inject('/offers/2')).headers['cache-control'], undefined)
  t.equal(
    (await app.inject({ method: 'PATCH', url: '/offers/1', headers: { 'if-match': '*' }, payload: {} })).headers[
      'cache-control'
    ],
    undefined
  )
})

await t.test('a version that cannot be a tag is 500, on reads and on writes (FST_IF_MATCH_INVALID_VERSION)', async (t) => {
  for (const version of ['a"b', '', 'a b', undefined]) {
    const { app } = await offersApp(t, {
      storage: {
        read: async () => ({ value: {}, version: version as string }),
        write: async () => ({ applied: true, version: version as string, created: false }),
        remove: async () => ({ applied: false, current: { value: {}, version: version as string } })
      }
    })
    for (const method of ['GET', 'PUT', 'DELETE'] as const) {
      const response = await app.inject({
        method,
        url: '/offers/1',
        headers: { 'if-match': '*' },
        ...(method === 'PUT' && { payload: {} })
      })
      t.equal(response.statusCode, 500, `${method} ${version}`)
      t.equal(response.json().code, 'FST_IF_MATCH_INVALID_VERSION')
    }
  }
})
