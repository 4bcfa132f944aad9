import { once } from 'node:events'
import { connect, constants } from 'node:http2'
import net from 'node:net'
import { Readable } from 'node:stream'
import t from 'tap'
import type { FastifyRequest } from 'fastify'
import type { StorageAdapter } from 'fastify-if-match'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { barrier } from '../support/barrier.js'
import { gatedMemory, listen, offersApp, seed, send, statusOf, valueOf } from '../support/offers-app.js'
import { until } from '../support/until.js'

const OFFERS = { ifMatch: { key: '/offers/:id' } }
const LATE = 'FST_IF_MATCH_LATE_WRITE'

/** A connection on which a request was written. */
async function open (port: number, text: string): Promise<net.Socket> {
  const socket = net.connect(port, '127.0.0.1')
  await once(socket, 'connect')
  socket.on('error', () => {})
  socket.write(text)
  return socket
}

/** A PUT whose body is announced, and of which this part is sent. */
function put (body: string, sent = body): string {
  const lines = [
    'PUT /slow/1 HTTP/1.1', 'Host: localhost', 'Content-Type: application/json', 'If-Match: *',
    `Content-Length: ${body.length}`
  ]
  return `${lines.join('\r\n')}\r\n\r\n${sent}`
}

/** How an operation ended: the code of its error, or that it was carried out. */
async function endOf (operation: Promise<unknown>): Promise<string> {
  return await operation.then(() => 'carried out', (error: { code: string }) => error.code)
}

/** A storage that never looks at the options of a call. */
function deafMemory (): StorageAdapter {
  const memory = memoryAdapter()
  return {
    read: async (key) => await memory.read(key),
    write: async (key, value, expectation) => await memory.write(key, value, expectation),
    remove: async (key, expectation) => await memory.remove(key, expectation)
  }
}

await t.test('a client that hangs up during the body: the handler is not entered and nothing is written', async (t) => {
  let entered = false
  const aborted = barrier()
  const { app, storage } = await offersApp(t, {}, (app) => {
    app.addHook('onRequest', async (request) => { request.raw.once('close', () => { aborted.open() }) })
    app.put('/slow/:id', { config: OFFERS }, async (request) => {
      entered = true
      return (await request.entity().replace(request.body)).value
    })
  })
  await seed(storage)
  const socket = await open(await listen(app), put('{"title":"sent"}', '{"title":'))
  await once(app.server, 'request')
  socket.destroy()
  await aborted.opened
  t.equal(entered, false)
  t.same(await valueOf(storage), { title: 'seeded' })
})

await t.test('a client that hangs up while the handler works: a write that did not start is refused (FST_IF_MATCH_LATE_WRITE)', async (t) => {
  const entered = barrier()
  const ended = barrier<string>()
  const { app, storage } = await offersApp(t, {}, (app) => {
    app.put('/slow/:id', { config: OFFERS }, async (request, reply) => {
      entered.open()
      await once(reply.raw, 'close')
      ended.open(await endOf(request.entity().replace(request.body)))
    })
  })
  await seed(storage)
  const socket = await open(await listen(app), put('{"title":"sent"}'))
  await entered.opened
  socket.destroy()
  t.equal(await ended.opened, LATE)
  t.same(await valueOf(storage), { title: 'seeded' })
})

await t.test('a client that hangs up does not cancel a write that has started', async (t) => {
  const { storage, hold, arrival, open: openGate } = gatedMemory('after')
  const ended = barrier<unknown>()
  const { app } = await offersApp(t, { storage }, (app) => {
    app.put('/slow/:id', { config: OFFERS }, async (request, reply) => {
      reply.raw.once('close', () => { openGate() })
      hold('write')
      await request.entity().replace(request.body).then(({ value }) => { ended.open(value) }, ended.open)
    })
  })
  await seed(storage)
  const socket = await open(await listen(app), put('{"title":"sent"}'))
  await arrival
  socket.destroy()
  t.same(await ended.opened, { title: 'sent' }, 'the handler learns that it was written')
  t.same(await valueOf(storage), { title: 'sent' })
})

for (const scope of ['route', 'server'] as const) {
  await t.test(`after a handlerTimeout of the ${scope} has answered 503, nothing is written any more`, async (t) => {
    const ended = barrier<string>()
    const timeout = { handlerTimeout: 20 }
    const { app, storage } = await offersApp(t, {}, (app) => {
      app.setErrorHandler(async (error, _request, reply) => {
        await ended.opened // the timeout has fired and its answer is not out yet: the write must be refused already
        return await reply.send(error)
      })
      app.delete('/slow/:id', { ...(scope === 'route' && timeout), config: OFFERS }, async (request) => {
        await once(request.signal, 'abort')
        ended.open(await endOf(request.entity().remove()))
      })
    }, scope === 'server' ? timeout : {})
    await seed(storage)
    const response = await send(app, 'DELETE /slow/1', { 'if-match': '*' })
    t.equal(response.statusCode, 503)
    t.equal(response.json().code, 'FST_ERR_HANDLER_TIMEOUT')
    t.equal(await ended.opened, LATE)
    t.same(await valueOf(storage), { title: 'seeded' })
  })
}

await t.test('a write after the answer was sent is refused', async (t) => {
  let late!: Promise<string>
  const { app, storage } = await offersApp(t, {}, (app) => {
    app.post('/late/:id', { config: OFFERS }, async (request, reply) => {
      await request.entity().unchanged()
      late = once(reply.raw, 'finish').then(async () => await endOf(request.entity().replace({ title: 'late' })))
      return { done: true }
    })
  })
  const etag = await seed(storage)
  t.equal(await statusOf(app, 'POST /late/1', { 'if-match': etag }), 200)
  t.equal(await late, LATE)
  t.same(await valueOf(storage), { title: 'seeded' })
})

await t.test('a client that hangs up stops an operation that waits in the adapter', async (t) => {
  const { storage, hold, arrival, open: openGate } = gatedMemory()
  const ended = barrier<string>()
  const { app } = await offersApp(t, { storage }, (app) => {
    app.put('/slow/:id', { config: OFFERS }, async (request, reply) => {
      hold('read')
      reply.raw.once('close', () => { openGate() })
      ended.open(await endOf(request.entity().read()))
    })
  })
  await seed(storage)
  const socket = await open(await listen(app), put('{"title":"held"}'))
  await arrival
  socket.destroy()
  t.equal(await ended.opened, LATE)
})

await t.test('a signal that the adapter asks for when the client is gone already is aborted', async (t) => {
  const memory = memoryAdapter()
  const begun = barrier()
  const closed = barrier()
  const storage: StorageAdapter = {
    ...memory,
    async read (key, options) {
      begun.open()
      await closed.opened
      options!.signal!.throwIfAborted()
      return await memory.read(key)
    }
  }
  const ended = barrier<string>()
  const { app } = await offersApp(t, { storage }, (app) => {
    app.put('/slow/:id', { config: OFFERS }, async (request, reply) => {
      reply.raw.once('close', () => { closed.open() })
      ended.open(await endOf(request.entity().read()))
    })
  })
  await seed(memory)
  const socket = await open(await listen(app), put('{"title":"sent"}'))
  await begun.opened
  socket.destroy()
  t.equal(await ended.opened, LATE)
})

await t.test('a read may begin after the answer, in onResponse or while a body is sent, and a write may not', async (t) => {
  for (const http2 of [false, true]) {
    for (const storage of [memoryAdapter(), deafMemory()]) {
      const ends = new Map<string, Promise<string[]>>()
      const use = async (request: FastifyRequest): Promise<string[]> => [
        await endOf(request.entity('/offers/1').read()),
        await endOf(request.entity('/offers/2').read()),
        await endOf(request.entity('/offers/2').update((offer) => offer)),
        await endOf(request.entity('/offers/3').create({}))
      ]
      const { app } = await offersApp(t, { storage }, (app) => {
        app.addHook('onResponse', async (request) => {
          ends.set(`${request.method} ${request.url}`, use(request))
        })
        app.get('/plain', async () => 'plain')
        app.get('/stream', async (request, reply) => {
          const body = new Readable({
            read () {
              const used = endOf(request.entity('/offers/2').read())
              ends.set('stream', used.then((end) => [end]))
              void used.then(() => { body.push(null) })
            }
          })
          body.push('begun')
          return await reply.send(body)
        })
      }, (http2 ? { http2 } : {}) as never)
      await seed(storage)
      await seed(storage, '2')
      const port = await listen(app)
      const request = async (method: string, path: string, headers = {}): Promise<void> => {
        if (!http2) {
          await (await fetch(`http://127.0.0.1:${port}${path}`, { method, headers })).text()
          return
        }
        const session = connect(`http://127.0.0.1:${port}`)
        await once(session.request({ ':method': method, ':path': path, ...headers }).resume(), 'close')
        session.close()
      }
      await request('GET', '/offers/1')
      await request('GET', '/plain')
      await request('POST', '/offers/1', { 'if-match': '*' })
      await request('DELETE', '/offers/1', { 'if-match': '"stale"' })
      await request('GET', '/stream')
      const use4 = ['carried out', 'carried out', LATE, LATE]
      for (const done of ['GET /offers/1', 'GET /plain', 'POST /offers/1', 'DELETE /offers/1']) {
        const end = await until(done, () => ends.get(done))
        t.same(await end, use4, done)
      }
      t.same(await ends.get('stream'), ['carried out'])
      t.equal(await valueOf(storage, '3'), undefined)
    }
  }
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
        const signal = options!.signal!
        signal.addEventListener('abort', () => { heard.push(key) })
        if (key !== '/slow') return await memory.read(key, options)
        asked.open()
        await once(signal, 'abort')
        aborted.open(signal.reason)
        throw signal.reason
      }
    }
    const { app } = await offersApp(t, { storage }, (app) => {
      app.get('/slow', { config: { ifMatch: isGuarded } }, async (request) => await request.entity('/slow').read())
    })
    await seed(memory)
    const port = await listen(app)
    t.equal((await fetch(`http://127.0.0.1:${port}/offers/1`)).status, 200)
    const socket = await open(port, 'GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await asked.opened
    socket.destroy()
    t.match(await aborted.opened, { code: LATE })
    t.same(heard, ['/slow'])
  }
})

await t.test('a late write is refused before the adapter is asked, over HTTP/1.1 and HTTP/2', async (t) => {
  for (const http2 of [false, true]) {
    const storage = deafMemory()
    const entered = barrier()
    const ended = barrier<string>()
    const { app } = await offersApp(t, { storage }, (app) => {
      app.delete('/slow/:id', { config: OFFERS }, async (request, reply) => {
        entered.open()
        await once(reply.raw, 'close')
        ended.open(await endOf(request.entity().remove()))
      })
    }, (http2 ? { http2 } : {}) as never)
    await seed(storage)
    const port = await listen(app)
    if (http2) {
      const session = connect(`http://127.0.0.1:${port}`)
      const stream = session.request({ ':method': 'DELETE', ':path': '/slow/1', 'if-match': '*' })
      stream.on('error', () => {})
      await entered.opened
      stream.close(constants.NGHTTP2_CANCEL)
      t.equal(await ended.opened, LATE, 'HTTP/2')
      session.close()
    } else {
      const socket = await open(port, 'DELETE /slow/1 HTTP/1.1\r\nHost: localhost\r\nIf-Match: *\r\n\r\n')
      await entered.opened
      socket.destroy()
      t.equal(await ended.opened, LATE, 'HTTP/1.1')
    }
    t.ok(await valueOf(storage))
  }
})

await t.test('a write while the answer is being sent is refused, and so is one after a hijacked answer', async (t) => {
  const late: Array<Promise<string>> = []
  const storage = deafMemory()
  const { app } = await offersApp(t, { storage }, (app) => {
    app.post('/stream/:id', { config: OFFERS }, async (request, reply) => {
      const write = async (): Promise<string> => await endOf(request.entity().replace({ title: 'late' }))
      await request.entity().unchanged()
      if (request.headers['x-hijack'] !== undefined) {
        reply.hijack()
        reply.raw.end()
        late.push(write())
        return
      }
      // The stream is read when the answer is being sent.
      const body = new Readable({
        read () {
          late.push(write().finally(() => { body.push(null) }))
        }
      })
      body.push('begun')
      return await reply.send(body)
    })
  })
  const etag = await seed(storage)
  const port = await listen(app)
  for (const hijack of [{}, { 'x-hijack': '1' }]) {
    const headers = { 'if-match': etag, ...hijack }
    const response = await fetch(`http://127.0.0.1:${port}/stream/1`, { method: 'POST', headers })
    t.equal(response.status, 200)
    await response.text()
    t.equal(await late.at(-1), LATE)
  }
  t.same(await valueOf(storage), { title: 'seeded' })
})

await t.test('a PUT over a socket is not stopped by the signal when its body has been read (decision 0004)', async (t) => {
  const memory = memoryAdapter()
  let bodyWasRead!: Promise<unknown>
  const storage: StorageAdapter = {
    ...memory,
    async write (key, value, expectation, options) {
      const { signal } = options!
      await bodyWasRead
      signal!.throwIfAborted()
      return await memory.write(key, value, expectation)
    }
  }
  const { app } = await offersApp(t, { storage }, (app) => {
    app.addHook('onRequest', async (request) => { bodyWasRead = once(request.raw, 'close') })
  })
  await seed(memory)
  const response = await fetch(`http://127.0.0.1:${await listen(app)}/offers/1`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json', 'if-match': '*' },
    body: '{"title":"sent"}'
  })
  t.equal(response.status, 200)
})
