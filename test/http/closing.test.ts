import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { connect } from 'node:http2'
import net, { type AddressInfo } from 'node:net'
import { mock } from 'node:test'
import t from 'tap'
import type { StorageAdapter } from 'fastify-if-match'
import { barrier } from '../support/barrier.js'
import { gatedMemory, listen, offersApp, seed, statusOf } from '../support/offers-app.js'

const OFFERS = { ifMatch: { key: '/offers/:id' } }

/** An adapter over memory that tells how many operations were under way when it was closed. */
function closable () {
  const gate = gatedMemory('after')
  const closed: number[] = []
  let active = 0
  const counted = async <R> (operation: Promise<R>): Promise<R> => {
    active++
    return await operation.finally(() => { active-- })
  }
  const { read, write, remove } = gate.storage
  const storage: StorageAdapter = {
    read: async (key, options) => await counted(read(key, options)),
    write: async (...args) => await counted(write(...args)),
    remove: async (...args) => await counted(remove(...args)),
    close: async () => { closed.push(active) }
  }
  return { ...gate, storage, closed }
}

for (const how of ['inject', 'localhost', 'HTTP/2 on localhost'] as const) {
  await t.test(`app.close() closes no storage under an operation, or under a handler that will write yet: ${how}`, async (t) => {
    for (const url of ['/guarded/1', '/computes/1', '/plain', '/read', '/forgets/1']) {
      const { storage, hold, arrival, open, closed } = closable()
      const entered = barrier()
      const goOn = barrier()
      const { app } = await offersApp(t, { storage }, (app) => {
        app.post('/guarded/:id', { config: OFFERS }, async (request) =>
          (await request.entity().replace({ n: 1 })).value)
        app.post('/computes/:id', { config: OFFERS }, async (request) => {
          entered.open()
          await goOn.opened
          return (await request.entity().replace({ n: 1 })).value
        })
        app.post('/plain', async (request) => (await request.entity('/offers/2').create({ n: 1 })).value)
        app.post('/read', async (request) => (await request.entity('/offers/1').read()).value)
        app.post('/forgets/:id', { config: OFFERS }, async (request) => {
          void request.entity().replace({ n: 1 })
          throw Object.assign(new Error('forgot its write'), { statusCode: 500 })
        })
      }, (how === 'HTTP/2 on localhost' ? { http2: true } : {}) as never)
      await seed(storage)
      hold(url === '/read' ? 'read' : 'write')
      let status: Promise<number>
      if (how === 'inject') {
        status = statusOf(app, `POST ${url}`, { 'if-match': '*' })
      } else {
        await app.listen({ port: 0, host: 'localhost' })
        // The last address is that of a server that Fastify does not wait for.
        const { port, address } = app.addresses().at(-1) as AddressInfo
        const origin = `http://${address.includes(':') ? `[${address}]` : address}:${port}`
        if (how === 'localhost') {
          const options = { method: 'POST', headers: { 'if-match': '*' }, agent: false }
          status = once(httpRequest(origin + url, options).end(), 'response').then(([response]) => {
            (response as IncomingMessage).resume()
            return (response as IncomingMessage).statusCode!
          })
        } else {
          const session = connect(origin)
          const stream = session.request({ ':method': 'POST', ':path': url, 'if-match': '*' })
          status = once(stream, 'response').then(([headers]) => (headers as Record<string, number>)[':status']!)
          stream.resume().once('close', () => { session.close() })
        }
      }
      await (url === '/computes/1' ? entered.opened : arrival)
      const closing = app.close()
      await new Promise((resolve) => { setImmediate(resolve) })
      t.same(closed, [], `${url}: the storage is open`)
      goOn.open()
      await arrival
      await new Promise((resolve) => { setImmediate(resolve) })
      t.same(closed, [], `${url}: it is open while it writes`)
      open()
      t.equal(await status, url === '/forgets/1' ? 500 : 200)
      await closing
      t.same(closed, [0], `${url}: closed, and nothing was under way`)
    }
  })
}

await t.test('app.close() closes no storage under an operation whose request is over: its client is gone, or it is answered', async (t) => {
  for (const [method, path, operation] of [
    ['POST', '/offers/1', 'write'],
    ['POST', '/plain', 'write'],
    ['GET', '/answered', 'read']
  ] as const) {
    const { storage, hold, arrival, open, closed } = closable()
    const { app } = await offersApp(t, { storage }, (app) => {
      app.post('/plain', async (request) => { await request.entity('/offers/2').create({ n: 1 }) })
      app.get('/answered', async () => 'answered')
      app.addHook('onResponse', async (request) => {
        if (path === '/answered') await request.entity('/offers/1').read()
      })
    })
    await seed(storage)
    hold(operation)
    const socket = net.connect(await listen(app), '127.0.0.1')
    socket.on('error', () => {})
    socket.write(`${method} ${path} HTTP/1.1\r\nHost: localhost\r\nIf-Match: *\r\n\r\n`)
    await arrival
    socket.resetAndDestroy() // an end alone would leave the answer to be sent
    const closing = app.close()
    await once(app.server, 'close')
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => { setImmediate(resolve) })
    t.same(closed, [], `${method} ${path}: the storage is open`)
    open()
    await closing
    t.same(closed, [0], `${method} ${path}: closed, and nothing was under way`)
  }
})

await t.test('app.close() does not wait for a request whose client is gone, nor for ever for one that cannot end', async (t) => {
  const { storage, closed } = closable()
  const entered = barrier()
  const { app } = await offersApp(t, { storage }, (app) => {
    app.get('/events/:id', { config: { ifMatch: { precheck: false } } }, async (_request, reply) => {
      reply.hijack()
      reply.raw.writeHead(200)
      reply.raw.write('data: never ends\n\n')
      entered.open()
    })
  })
  const events = app.inject({ url: '/events/1', payloadAsStream: true })
  await entered.opened
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => { mock.timers.reset() })
  let isClosed = false
  const closing = app.close().then(() => { isClosed = true })
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => { setImmediate(resolve) })
  mock.timers.tick(9999)
  await new Promise((resolve) => { setImmediate(resolve) })
  t.same([isClosed, closed], [false, []])
  mock.timers.tick(1)
  await closing
  t.same(closed, [0], 'after 10 seconds')
  ;(await events).stream().destroy()

  const gone = await offersApp(t, {}, (app) => {
    app.put('/slow/:id', { config: OFFERS }, async (_request, reply) => {
      entered.open()
      await once(reply.raw, 'close')
      await new Promise(() => {})
    })
  })
  await seed(gone.storage)
  const socket = net.connect(await listen(gone.app), '127.0.0.1')
  socket.end('PUT /slow/1 HTTP/1.1\r\nHost: localhost\r\nIf-Match: *\r\n\r\n')
  await once(gone.app.server, 'request')
  socket.destroy()
  await gone.app.close()
})
