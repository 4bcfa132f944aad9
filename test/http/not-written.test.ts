import { Readable } from 'node:stream'
import { setImmediate as nextTurn } from 'node:timers/promises'
import t from 'tap'
import type { Test } from 'tap'
import type { RouteHandlerMethod } from 'fastify'
import type { IfMatchRouteOptions } from 'fastify-if-match'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { aroundAdapter } from '../support/around-adapter.js'
import { barrier } from '../support/barrier.js'
import { ANY, EXISTS } from '../support/expectations.js'
import { gatedMemory, offersApp, seed, send, statusOf, tagOf, valueOf } from '../support/offers-app.js'

const KEY = '/offers/1'

async function handlerApp (t: Test, handler: RouteHandlerMethod, options: IfMatchRouteOptions = {}) {
  const { app, storage } = await offersApp(t, options, (app) => {
    app.route({ method: ['GET', 'POST'], url: '/act/:id', config: { ifMatch: { key: '/offers/:id' } }, handler })
  })
  const etag = await seed(storage)
  const act = async (headers = { 'if-match': etag }) => await send(app, 'POST /act/1', headers)
  return { app, storage, etag, act }
}

await t.test('a handler cannot forget: success without a write is 500 (FST_IF_MATCH_NOT_WRITTEN)', async (t) => {
  for (const headers of [undefined, { 'if-match': '*' }]) {
    const { act } = await handlerApp(t, async () => ({ forgot: true }))
    const response = await act(headers)
    t.equal(response.statusCode, 500)
    t.match(response.json(), { code: 'FST_IF_MATCH_NOT_WRITTEN', message: /^The handler of POST \/act\/:id / })
  }
})

await t.test('a handler cannot forget in any form: string, buffer, stream, nothing, redirect, callback', async (t) => {
  const streams: Readable[] = []
  const handlers: RouteHandlerMethod[] = [
    async () => 'text',
    async () => Buffer.from('bytes'),
    async (_request, reply) => {
      streams.push(Readable.from(['a', 'b']))
      return await reply.send(streams[0])
    },
    async (_request, reply) => await reply.send(new ReadableStream()),
    async (_request, reply) => await reply.send(new Response('body')),
    async (_request, reply) => await reply.code(204).send(),
    async (_request, reply) => await reply.redirect('/elsewhere', 303),
    (_request, reply) => { reply.send({ callback: true }) }
  ]
  for (const handler of handlers) {
    const { act } = await handlerApp(t, handler)
    const response = await act()
    t.equal(response.statusCode, 500, handler.toString())
    t.equal(response.json().code, 'FST_IF_MATCH_NOT_WRITTEN')
  }
  t.equal(streams[0]?.destroyed, true, 'a stream that is not sent is released')
})

await t.test('a write to another entity, or a mere read, does not count as a write', async (t) => {
  const { act } = await handlerApp(t, async (request) => {
    await request.entity().read()
    await request.entity('/log/1').create({ a: 1 })
    return { forgot: true }
  })
  t.equal((await act()).json().code, 'FST_IF_MATCH_NOT_WRITTEN')
})

await t.test('a handler that answers its own error, or is entered by GET, need not write', async (t) => {
  const { app, act } = await handlerApp(t, async (request, reply) =>
    await reply.code(request.method === 'GET' ? 200 : 409).send({ state: 'conflict' }))
  t.equal((await act()).statusCode, 409)
  t.equal(await statusOf(app, 'GET /act/1'), 200)
})

await t.test('the refusal that a handler swallows is the answer', async (t) => {
  const { act, storage, etag } = await handlerApp(t, async (request) => {
    await storage.write(KEY, { title: 'other' }, ANY)
    await request.entity().replace({ title: 'mine' }).catch(() => {})
    return { swallowed: true }
  })
  const response = await act()
  t.equal(response.statusCode, 412)
  t.not(response.headers.etag, etag)
  t.same(await valueOf(storage), { title: 'other' })
})

await t.test('a replace() that is not awaited is awaited before the answer', async (t) => {
  const { storage, hold, arrival, open } = gatedMemory()
  const { act } = await handlerApp(t, async (request) => {
    hold('write')
    void request.entity().replace({ title: 'mine' })
    return { early: true }
  }, { storage })
  const answer = act()
  await arrival
  t.same(await valueOf(storage), { title: 'seeded' }, 'the handler has answered, and nothing is written')
  open()
  const response = await answer
  t.equal(response.statusCode, 200)
  t.equal(response.headers.etag, await tagOf(storage))
})

await t.test('a replace() that is not awaited and loses is the answer: 412', async (t) => {
  for (const send of [true, false]) {
    const { storage, hold, arrival, open } = gatedMemory()
    const { act } = await handlerApp(t, async (request, reply) => {
      hold('write')
      void request.entity().replace({ title: 'mine' })
      return send ? await reply.send('text') : { early: true }
    }, { storage })
    const answer = act()
    await arrival
    hold('remove')
    await storage.write(KEY, { title: 'other' }, ANY)
    open()
    const response = await answer
    t.equal(response.statusCode, 412)
    t.same(await valueOf(storage), { title: 'other' })
  }
})

await t.test('a write to a further entity that is not awaited and loses is the answer: 412', async (t) => {
  const { storage, hold, arrival, open } = gatedMemory()
  const { act } = await handlerApp(t, async (request) => {
    await request.entity().unchanged()
    hold('write')
    void request.entity('/log/1').create({ mine: true })
    return { early: true }
  }, { storage })
  const answer = act()
  await arrival
  hold('remove')
  await storage.write('/log/1', { mine: false }, ANY)
  open()
  t.equal((await answer).statusCode, 412)
})

await t.test('an error of the handler waits for its unawaited writes, and is not replaced by what becomes of them', async (t) => {
  const errors: RouteHandlerMethod[] = [
    async () => { throw Object.assign(new Error('the handler failed'), { statusCode: 422 }) },
    async (_request, reply) => await reply.code(422).send({ own: true }),
    async (_request, reply) => await reply.code(422).send('text')
  ]
  for (const error of errors) {
    for (const key of [undefined, '/log/1']) {
      for (const loses of [false, true]) {
        const { storage, hold, arrival, open } = gatedMemory()
        const { act, app } = await handlerApp(t, async function (request, reply) {
          hold('write')
          const entity = request.entity(key)
          void (key === undefined ? entity.replace({ title: 'mine' }) : entity.create({ title: 'mine' }))
          return await error.call(this, request, reply)
        }, { storage })
        let isAnswered = false
        app.addHook('onResponse', async () => { isAnswered = true })
        const answer = act().finally(() => { isAnswered = true })
        await arrival
        hold('remove')
        if (loses) await storage.write(key ?? KEY, { title: 'other' }, ANY)
        await new Promise((resolve) => { setImmediate(resolve) })
        t.equal(isAnswered, false, 'the write is not over')
        open()
        t.equal((await answer).statusCode, 422)
        t.same((await storage.read(key ?? KEY))?.value, { title: loses ? 'other' : 'mine' })
      }
    }
  }
})

await t.test('an error waits for all writes, also after one of them was refused', async (t) => {
  const { storage, hold, arrival, open } = gatedMemory()
  const { act, etag } = await handlerApp(t, async (request) => {
    void request.entity('/log/1').replace({})
    hold('write')
    void request.entity().replace({ title: 'mine' })
    throw new Error('the handler failed')
  }, { storage })
  let isAnswered = false
  const answer = act().finally(() => { isAnswered = true })
  await arrival
  await new Promise((resolve) => { setImmediate(resolve) })
  t.equal(isAnswered, false)
  open()
  t.equal((await answer).statusCode, 500)
  t.not(await tagOf(storage), etag)
})

await t.test('the answer of handlerTimeout does not wait for a write in flight', async (t) => {
  const { storage, hold, open } = gatedMemory()
  const { app } = await offersApp(t, { storage }, (app) => {
    app.post('/act/:id', { config: { ifMatch: { key: '/offers/:id' } }, handlerTimeout: 20 }, async (request) => {
      hold('write')
      return await request.entity().replace({ title: 'mine' })
    })
  })
  await seed(storage)
  const response = await send(app, 'POST /act/1', { 'if-match': '*' })
  t.match(response.json(), { statusCode: 503, code: 'FST_ERR_HANDLER_TIMEOUT' })
  open()
})

await t.test('unchanged() says that nothing has to be written: the tag stays, and is checked again', async (t) => {
  const { act, storage, etag } = await handlerApp(t, async (request) => (await request.entity().unchanged()).value)
  const response = await act()
  t.equal(response.statusCode, 200)
  t.equal(response.headers.etag, etag)
  t.equal(await tagOf(storage), etag)

  const late = await handlerApp(t, async (request) => {
    await late.storage.write(KEY, { title: 'other' }, ANY)
    return await request.entity().unchanged()
  })
  t.equal((await late.act()).statusCode, 412, 'somebody wrote after the early comparison')
  const gone = await handlerApp(t, async (request) => {
    await gone.storage.remove(KEY, EXISTS)
    return await request.entity().unchanged()
  })
  t.equal((await gone.act({ 'if-match': '*' })).statusCode, 404)
})

await t.test('after reply.hijack() the plugin asks for no write and sets no headers', async (t) => {
  const { act, storage } = await handlerApp(t, async (request, reply) => {
    reply.hijack()
    await request.entity().replace({ title: 'hijacked' })
    reply.raw.end('raw')
  })
  const response = await act()
  t.equal(response.body, 'raw')
  t.equal(response.headers.etag, undefined)
  t.same(await valueOf(storage), { title: 'hijacked' }, 'a hijacked handler may still write')
  const forgot = await handlerApp(t, async (_request, reply) => {
    reply.hijack()
    reply.raw.end('raw')
  })
  t.equal((await forgot.act()).body, 'raw')
})

await t.test('an answer through reply.raw without a write is a line in the log, which names the route and not the key', async (t) => {
  const cases: Array<[string, RouteHandlerMethod, boolean]> = [
    ['without hijack', (_request, reply) => { reply.raw.end('raw') }, true],
    ['hijacked', (_request, reply) => { reply.hijack().raw.end('raw') }, true],
    ['in two parts', async (_request, reply) => {
      reply.hijack().raw.write('raw')
      reply.raw.end()
    }, true],
    ['after a refusal that is swallowed', async (request, reply) => {
      reply.hijack()
      await request.entity().create({}).catch(() => {})
      reply.raw.end()
    }, true],
    ['after a write', async (request, reply) => {
      reply.hijack()
      await request.entity().replace({ title: 'raw' })
      reply.raw.end()
    }, false],
    ['while it writes', async (request, reply) => {
      void request.entity().replace({ title: 'raw' })
      reply.hijack().raw.end()
    }, false],
    ['while a write is refused', async (request, reply) => {
      void request.entity().create({})
      reply.hijack().raw.end()
    }, true],
    ['after unchanged()', async (request, reply) => {
      reply.hijack()
      await request.entity().unchanged()
      reply.raw.end()
    }, false],
    ['with an error', (_request, reply) => { reply.hijack().raw.writeHead(409).end() }, false],
    ['never', async (_request, reply) => { reply.hijack().raw.destroy() }, false],
    ['not through reply.raw', async (request) => (await request.entity().replace({})).value, false]
  ]
  for (const [title, handler, isWarned] of cases) {
    for (const method of ['POST', 'PUT', 'DELETE', 'GET'] as const) {
      const lines: Array<{ level: number, msg: string }> = []
      const stream = { write: (line: string) => { lines.push(JSON.parse(line)) } }
      const { app, storage } = await offersApp(t, {}, (app) => {
        app.route({ method, url: '/raw/:id', config: { ifMatch: { key: '/offers/:id' } }, handler })
      }, { logger: { level: 'warn', stream } })
      await seed(storage, 'secret')
      await app.inject({ method, url: '/raw/secret', headers: { 'if-match': '*' } }).catch(() => {})
      await app.close()
      const warnings = lines.filter(({ level, msg }) => level === 40 && msg.includes('reply.raw'))
      t.equal(warnings.length, isWarned && method !== 'GET' ? 1 : 0, `${title}: ${method}`)
      if (warnings.length > 0) t.match(warnings[0]!.msg, `The handler of ${method} /raw/:id answered through reply.raw`)
      t.notMatch(JSON.stringify(warnings), /secret/)
    }
  }
})

await t.test('the line about an answer through reply.raw waits for writes that are under way, and is left out if they are applied', async (t) => {
  const gate = barrier()
  const storage = aroundAdapter(memoryAdapter(), async (step, operation) => {
    const result = await step()
    if (operation === 'write') await gate.opened
    return result
  })
  const lines: string[] = []
  const { app } = await offersApp(t, { storage }, (app) => {
    app.put('/raw/:id', { config: { ifMatch: { key: '/offers/:id', create: 'wildcard' } } }, (request, reply) => {
      void request.entity().replace({ title: 'raw' })
      reply.hijack().raw.end()
    })
  }, { logger: { level: 'warn', stream: { write: (line: string) => { lines.push(line) } } } })
  await app.inject({ method: 'PUT', url: '/raw/1', headers: { 'if-match': '*' } })
  await nextTurn() // the response is closed by now, and the line would be there
  gate.open()
  await app.close()
  t.same(await valueOf(storage), { title: 'raw' })
  t.same(lines, [])
})

await t.test('callback handlers work like async ones', async (t) => {
  const { act, etag } = await handlerApp(t, (request, reply) => {
    request.entity().update((offer) => offer)
      .then(({ value }) => reply.send(value), (error: Error) => reply.send(error))
  })
  t.equal((await act()).statusCode, 200)
  t.equal((await act({ 'if-match': etag })).statusCode, 412)
})

await t.test('a rejection that nobody awaits never ends the process', async (t) => {
  const unhandled: unknown[] = []
  const listener = (reason: unknown): void => { unhandled.push(reason) }
  process.on('unhandledRejection', listener)
  t.teardown(() => { process.off('unhandledRejection', listener) })
  const { act } = await handlerApp(t, async (request) => {
    void request.entity('/other').replace({ a: 1 })
    void request.entity().replace(() => { throw new Error('in the function') })
    throw new Error('the handler failed')
  }, { storage: memoryAdapter() })
  t.equal((await act()).statusCode, 500)
  await new Promise((resolve) => { setImmediate(resolve) })
  t.same(unhandled, [])
})
