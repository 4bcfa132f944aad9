import { once } from 'node:events'
import { connect, constants } from 'node:http2'
import net, { type AddressInfo } from 'node:net'
import t from 'tap'
import type { FastifyInstance } from 'fastify'
import type { StorageAdapter } from 'fastify-if-match'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { barrier } from '../support/barrier.js'
import { gatedMemory, offersApp, seed } from '../support/offers-app.js'

const KEY = '/offers/1'

async function send (app: FastifyInstance, text: string): Promise<net.Socket> {
  const socket = net.connect((app.server.address() as AddressInfo).port, '127.0.0.1')
  await once(socket, 'connect')
  socket.on('error', () => {})
  socket.write(text)
  return socket
}

function put (body: string, sent = body): string {
  return `PUT /slow/1 HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nIf-Match: *\r\nContent-Length: ${body.length}\r\n\r\n${sent}`
}

await t.test('a client that hangs up during the body: the handler is not entered and nothing is written', async (t) => {
  let entered = false
  let aborted: () => void
  const isAborted = new Promise<void>((resolve) => { aborted = resolve })
  const { app, storage } = await offersApp(t, {}, (app) => {
    app.addHook('onRequest', async (request) => { request.raw.once('close', () => { aborted() }) })
    app.put('/slow/:id', { config: { ifMatch: { key: '/offers/:id' } } }, async (request) => {
      entered = true
      return (await request.entity().replace(request.body)).value
    })
  })
  await seed(storage)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const socket = await send(app, put('{"title":"sent"}', '{"title":'))
  await once(app.server, 'request')
  socket.destroy()
  await isAborted
  t.equal(entered, false)
  t.same((await storage.read(KEY))?.value, { title: 'seeded' })
})

await t.test('a client that hangs up while the handler works: a write that did not start is refused (FST_IF_MATCH_LATE_WRITE)', async (t) => {
  let entered: () => void
  let refused: (code: string) => void
  const isEntered = new Promise<void>((resolve) => { entered = resolve })
  const code = new Promise<string>((resolve) => { refused = resolve })
  const { app, storage } = await offersApp(t, {}, (app) => {
    app.put('/slow/:id', { config: { ifMatch: { key: '/offers/:id' } } }, async (request, reply) => {
      entered()
      await once(reply.raw, 'close')
      await request.entity().replace(request.body).catch((error: { code: string }) => { refused(error.code) })
    })
  })
  await seed(storage)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const socket = await send(app, put('{"title":"sent"}'))
  await isEntered
  socket.destroy()
  t.equal(await code, 'FST_IF_MATCH_LATE_WRITE')
  t.same((await storage.read(KEY))?.value, { title: 'seeded' })
})

await t.test('a client that hangs up does not cancel a write that has started', async (t) => {
  const { storage, hold, arrival, open } = gatedMemory('after')
  let ended: (value: unknown) => void
  const outcome = new Promise<unknown>((resolve) => { ended = resolve })
  const { app } = await offersApp(t, { storage }, (app) => {
    app.put('/slow/:id', { config: { ifMatch: { key: '/offers/:id' } } }, async (request, reply) => {
      reply.raw.once('close', open)
      hold('write')
      await request.entity().replace(request.body).then(({ value }) => { ended(value) }, ended)
    })
  })
  await seed(storage)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const socket = await send(app, put('{"title":"sent"}'))
  await arrival
  socket.destroy()
  t.same(await outcome, { title: 'sent' }, 'the handler learns that it was written')
  t.same((await storage.read(KEY))?.value, { title: 'sent' })
})

for (const scope of ['route', 'server'] as const) {
  await t.test(`after a handlerTimeout of the ${scope} has answered 503, nothing is written any more`, async (t) => {
    let refused: (code: string) => void
    const code = new Promise<string>((resolve) => { refused = resolve })
    const { app, storage } = await offersApp(t, {}, (app) => {
      app.setErrorHandler(async (error, _request, reply) => {
        await code // the timeout is known, and its answer is not out yet: the write must be refused already
        return await reply.send(error)
      })
      app.delete(
        '/slow/:id',
        { ...(scope === 'route' && { handlerTimeout: 20 }), config: { ifMatch: { key: '/offers/:id' } } },
        async (request) => {
          await once(request.signal, 'abort')
          await request
            .entity()
            .remove()
            .catch((error: { code: string }) => {
              refused(error.code)
            })
        }
      )
    }, scope === 'server' ? { handlerTimeout: 20 } : {})
    await seed(storage)
    const response = await app.inject({ method: 'DELETE', url: '/slow/1', headers: { 'if-match': '*' } })
    t.equal(response.statusCode, 503)
    t.equal(response.json().code, 'FST_ERR_HANDLER_TIMEOUT')
    t.equal(await code, 'FST_IF_MATCH_LATE_WRITE')
    t.same((await storage.read(KEY))?.value, { title: 'seeded' })
  })
}

await t.test('a write after the answer was sent is refused', async (t) => {
  let late!: Promise<string>
  const { app, storage } = await offersApp(t, {}, (app) => {
    app.post('/late/:id', { config: { ifMatch: { key: '/offers/:id' } } }, async (request, reply) => {
      await request.entity().unchanged()
      late = once(reply.raw, 'finish').then(
        async () =>
          await request
            .entity()
            .replace({ title: 'late' })
            .then(
              () => 'written',
              (error: { code: string }) => error.code
            )
      )
      return { done: true }
    })
  })
  const etag = await seed(storage)
  t.equal((await app.inject({ method: 'POST', url: '/late/1', headers: { 'if-match': etag } })).statusCode, 200)
  t.equal(await late, 'FST_IF_MATCH_LATE_WRITE')
  t.same((await storage.read(KEY))?.value, { title: 'seeded' })
})

await t.test('the signal of a request stops what waits in the adapter; over a socket, a body that was read does not', async (t) => {
  const { storage, hold, arrival, open } = gatedMemory()
  let outcome: (code: string) => void
  const code = new Promise<string>((resolve) => { outcome = resolve })
  const { app } = await offersApp(t, { storage }, (app) => {
    app.put('/slow/:id', { config: { ifMatch: { key: '/offers/:id' } } }, async (request, reply) => {
      if (request.headers['x-hold'] !== undefined) {
        hold('read')
        reply.raw.once('close', open)
        await request
          .entity()
          .read()
          .then(
            () => {
              outcome('read')
            },
            (error: { code: string }) => {
              outcome(error.code)
            }
          )
      }
      return (await request.entity().replace(request.body)).value
    })
  })
  await seed(storage)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  const response = await fetch(`http://127.0.0.1:${port}/slow/1`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json', 'if-match': '*' },
    body: '{"title":"sent"}'
  })
  t.equal(response.status, 200)
  const socket = await send(app, put('{"title":"held"}').replace('If-Match', 'X-Hold: 1\r\nIf-Match'))
  await arrival
  socket.destroy()
  t.equal(await code, 'FST_IF_MATCH_LATE_WRITE')
})

await t.test('an adapter that listens to the signal hears of a client that hangs up, and not of an answer that is sent', async (t) => {
  for (const isGuarded of [true, false]) {
    const heard: unknown[] = []
    const asked = barrier()
    const aborted = barrier<unknown>()
    const memory = memoryAdapter()
    const storage: StorageAdapter = {
      ...memory,
      async read (key, options) {
        options?.signal?.addEventListener('abort', () => { heard.push(key) })
        if (key !== '/slow') return await memory.read(key, options)
        asked.open()
        await once(options!.signal!, 'abort')
        aborted.open(options!.signal!.reason)
        throw options!.signal!.reason
      }
    }
    const { app } = await offersApp(t, { storage }, (app) => {
      app.get('/slow', { config: { ifMatch: isGuarded } }, async (request) =>
        (await request.entity('/slow').read()).value)
    })
    await seed(memory)
    await app.listen({ port: 0, host: '127.0.0.1' })
    t.equal((await fetch(`http://127.0.0.1:${(app.server.address() as AddressInfo).port}/offers/1`)).status, 200)
    const socket = await send(app, 'GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await asked.opened
    socket.destroy()
    t.match(await aborted.opened, { code: 'FST_IF_MATCH_LATE_WRITE' })
    t.same(heard, ['/slow'])
  }
})

/** A storage that never looks at what comes along with a call. */
function deafMemory (): StorageAdapter {
  const memory = memoryAdapter()
  return {
    read: async (key) => await memory.read(key),
    write: async (key, value, expectation) => await memory.write(key, value, expectation),
    remove: async (key, expectation) => await memory.remove(key, expectation)
  }
}

await t.test('late writes are refused before the adapter is asked, over HTTP/1.1 and HTTP/2', async (t) => {
  for (const http2 of [false, true]) {
    const storage = deafMemory()
    let entered: () => void
    let refused: (code: string) => void
    const isEntered = new Promise<void>((resolve) => { entered = resolve })
    const code = new Promise<string>((resolve) => { refused = resolve })
    const { app } = await offersApp(t, { storage }, (app) => {
      app.delete('/slow/:id', { config: { ifMatch: { key: '/offers/:id' } } }, async (request, reply) => {
        entered()
        await once(reply.raw, 'close')
        await request
          .entity()
          .remove()
          .then(
            () => {
              refused('removed')
            },
            (error: { code: string }) => {
              refused(error.code)
            }
          )
      })
    }, (http2 ? { http2 } : {}) as never)
    await seed(storage)
    await app.listen({ port: 0, host: '127.0.0.1' })
    const { port } = app.server.address() as AddressInfo
    if (http2) {
      const session = connect(`http://127.0.0.1:${port}`)
      const stream = session.request({ ':method': 'DELETE', ':path': '/slow/1', 'if-match': '*' })
      stream.on('error', () => {})
      await isEntered
      stream.close(constants.NGHTTP2_CANCEL)
      t.equal(await code, 'FST_IF_MATCH_LATE_WRITE', 'HTTP/2')
      session.close()
    } else {
      const socket = await send(app, 'DELETE /slow/1 HTTP/1.1\r\nHost: localhost\r\nIf-Match: *\r\n\r\n')
      await isEntered
      socket.destroy()
      t.equal(await code, 'FST_IF_MATCH_LATE_WRITE', 'HTTP/1.1')
    }
    t.ok(await storage.read(KEY))
  }
})

await t.test('a write while the answer is still being sent is refused, and so is one behind a hijacked answer', async (t) => {
  const { Readable } = await import('node:stream')
  const late: Array<Promise<string>> = []
  const storage = deafMemory()
  const { app } = await offersApp(t, { storage }, (app) => {
    app.post('/stream/:id', { config: { ifMatch: { key: '/offers/:id' } } }, async (request, reply) => {
      await request.entity().unchanged()
      const body = new Readable({ read () {} })
      const codeOf = async (): Promise<string> =>
        await request
          .entity()
          .replace({ title: 'late' })
          .then(
            () => 'written',
            (error: { code: string }) => error.code
          )
      if (request.headers['x-hijack'] !== undefined) {
        reply.hijack()
        reply.raw.end()
        late.push(codeOf())
        return
      }
      late.push(new Promise((resolve) => {
        setImmediate(() => { resolve(codeOf().finally(() => { body.push(null) })) })
      }))
      body.push('begun')
      return await reply.send(body)
    })
  })
  const etag = await seed(storage)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  for (const headers of [{ 'if-match': etag }, { 'if-match': etag, 'x-hijack': '1' }] as Array<
    Record<string, string>
  >) {
    const response = await fetch(`http://127.0.0.1:${port}/stream/1`, { method: 'POST', headers })
    t.equal(response.status, 200)
    await response.text()
    t.equal(await late.at(-1), 'FST_IF_MATCH_LATE_WRITE')
  }
  t.same((await storage.read(KEY))?.value, { title: 'seeded' })
})

await t.test('a PUT over a socket is not stopped by the signal when its body has been read', async (t) => {
  const memory = memoryAdapter()
  const storage: StorageAdapter = {
    ...memory,
    async write (key, value, expectation, options) {
      const { signal } = options!
      for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => { setImmediate(resolve) })
      signal!.throwIfAborted()
      return await memory.write(key, value, expectation)
    }
  }
  const { app } = await offersApp(t, { storage })
  await seed(memory)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  const response = await fetch(`http://127.0.0.1:${port}/offers/1`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json', 'if-match': '*' },
    body: '{"title":"sent"}'
  })
  t.equal(response.status, 200)
})
