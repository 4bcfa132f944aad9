import { once } from 'node:events'
import { connect } from 'node:http2'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import compress from '@fastify/compress'
import cors from '@fastify/cors'
import t, { type Test } from 'tap'
import type { FastifyInstance, FastifyServerOptions } from 'fastify'
import ifMatch, {
  errorCodes,
  type IfMatchOptions,
  type IfMatchRouteOptions,
  type Representation,
  type StorageAdapter
} from 'fastify-if-match'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { addOfferRoutes, listen, newApp, offersApp, seed, send, tagOf } from '../support/offers-app.js'

const ASKED = { prefer: 'return=representation' }
const STALE = { 'if-match': '"stale"', ...ASKED }
const SECRET = 'what-no-stranger-may-see'
const shown: Representation = ({ value }) => value

type Hook = (this: unknown, ...args: unknown[]) => unknown
type Prepare = (app: FastifyInstance) => unknown

async function representingApp (
  t: Test,
  representation: Representation,
  prepare?: Prepare,
  options: IfMatchRouteOptions = {},
  serverOptions: FastifyServerOptions = {}
) {
  const made = await offersApp(t, { representation, ...options }, prepare, serverOptions)
  const etag = await seed(made.storage, '1', { title: SECRET, price: 1 })
  return { ...made, etag }
}

await t.test('with Prefer: return=representation a 412 is what the GET shows (RFC 7240 4.2, RFC 8144 3)', async (t) => {
  for (const precheck of [true, false]) {
    const { app, etag } = await representingApp(t, shown, undefined, { precheck })
    const get = await send(app, 'GET /offers/1?a=b')
    for (const method of ['PUT', 'PATCH', 'DELETE', 'POST']) {
      const { statusCode, headers, body } = await send(app, `${method} /offers/1?a=b`, STALE)
      t.same([statusCode, body], [412, get.body], method)
      t.match(headers, {
        etag,
        'content-type': get.headers['content-type'],
        'content-length': get.headers['content-length'],
        'preference-applied': 'return=representation',
        vary: 'Prefer',
        'cache-control': 'no-store'
      })
      const location = headers['content-location']
      t.equal(location && String(new URL(location, 'http://h/api/offers/1?x')),
        method === 'POST' ? undefined : 'http://h/api/offers/1?a=b', 'relative: a gateway may have put /api in front')
    }
    const created = await send(app, 'PUT /offers/1', { 'if-none-match': '*', ...ASKED })
    t.same([created.statusCode, created.body, created.headers.etag], [412, get.body, etag])
  }
})

await t.test('a 412 that shows nothing depends on Prefer all the same, and a success and a read do not', async (t) => {
  const { app, etag } = await representingApp(t, shown)
  for (const prefer of [undefined, 'return=minimal', 'return=minimal, return=representation', 'respond-async', '"']) {
    const { statusCode, headers, body } = await send(app, 'PUT /offers/1', {
      'if-match': '"stale"', ...prefer !== undefined && { prefer }
    })
    t.same([statusCode, headers.vary, headers['preference-applied']], [412, 'Prefer', undefined], String(prefer))
    t.match(body, 'FST_IF_MATCH_PRECONDITION_FAILED')
    t.equal(headers.etag, etag)
  }
  const read = await send(app, 'GET /offers/1', STALE)
  t.same([read.statusCode, read.headers.vary, read.headers['preference-applied']], [412, undefined, undefined])
  t.notMatch(read.body, SECRET)
  const put = await send(app, 'PUT /offers/1', { 'if-match': etag, ...ASKED }, { title: 'new' })
  t.same([put.statusCode, put.headers.vary, put.headers['preference-applied']], [200, undefined, undefined])
})

await t.test('where there is no entity a 412 and a 404 show nothing', async (t) => {
  const { app } = await representingApp(t, shown, undefined, { absent: 412 })
  for (const request of ['PUT /offers/2', 'DELETE /offers/2']) {
    const { statusCode, headers } = await send(app, request, STALE)
    t.same([statusCode, headers['preference-applied']], [412, undefined])
  }
})

await t.test('the tag is that of the representation that is sent, whoever wrote since the refusal', async (t) => {
  let between: (storage: StorageAdapter) => Promise<unknown> = async () => {}
  const lines: string[] = []
  const { app, storage, etag } = await representingApp(t, shown, (app) => {
    app.setErrorHandler(async (error, _request, reply) => {
      await between(storage)
      return await reply.code(412).send(error)
    })
  }, {}, { logger: { level: 'warn', stream: { write: (line: string) => { lines.push(line) } } } })
  let newer = ''
  between = async (storage) => { newer = await seed(storage, '1', { title: 'newer' }) }
  const moved = await send(app, 'PUT /offers/1', STALE)
  t.same([moved.statusCode, moved.json(), moved.headers.etag], [412, { title: 'newer' }, newer])
  t.not(newer, etag)
  between = async (storage) => { await storage.remove('/offers/1', { kind: 'exists' }) }
  const gone = await send(app, 'PUT /offers/1', STALE)
  t.same([gone.statusCode, gone.json().code], [412, 'FST_IF_MATCH_PRECONDITION_FAILED'])
  t.equal(gone.headers['preference-applied'], undefined)
  t.same(lines, [], 'that it was removed is no failure')
})

await t.test('a function that says no, fails or makes no representation leaves the 412 as it is, and the log without content', async (t) => {
  const cases: Record<string, [Representation, string?]> = {
    undefined: [() => undefined],
    null: [async () => null],
    false: [({ value }) => value === 'other' && value],
    'an empty text': [() => ''],
    throws: [({ value }) => { throw new RangeError(JSON.stringify(value)) }, 'RangeError'],
    rejects: [async ({ value }) => { throw Object.assign(new Error(value.title), { code: 'E_MINE' }) }, 'E_MINE'],
    'throws no error': [({ value }) => { throw value.title }, 'string'],
    'a code with content': [({ value }) => { throw Object.assign(new Error(), { code: `${value.title}` }) }, 'Error'],
    true: [() => true, 'NoRepresentation'],
    'a number': [({ value }) => value.price, 'NoRepresentation'],
    'a function': [() => shown, 'NoRepresentation'],
    'a stream': [({ value }) => Readable.from([value.title]), 'NoRepresentation'],
    'a web stream': [({ value }) => new Response(value.title).body, 'NoRepresentation'],
    'a Response': [({ value }) => new Response(value.title), 'NoRepresentation'],
    'a cycle': [({ value }) => Object.assign(value, { value }), 'TypeError'],
    'no JSON': [({ value }) => ({ ...value, toJSON: () => undefined })],
    'another status': [(_found, _request, reply) => { reply.code(403) }],
    'the headers of another body': [({ value }, _request, reply) => {
      reply.type('text/plain').header('content-location', value.title)
    }]
  }
  for (const [title, [representation, code]] of Object.entries(cases)) {
    const lines: string[] = []
    const { app, etag } = await representingApp(t, representation, undefined, {}, {
      logger: { level: 'error', stream: { write: (line: string) => { lines.push(line) } } }
    })
    const { statusCode, headers, body } = await send(app, 'PUT /offers/1', STALE)
    t.same([statusCode, headers.etag, headers['preference-applied'], headers['content-location']],
      [412, etag, undefined, undefined], title)
    t.match(headers['content-type'], 'application/json')
    t.match(body, 'FST_IF_MATCH_PRECONDITION_FAILED')
    t.notMatch(body + JSON.stringify(headers) + lines.join(''), SECRET, title)
    t.same(lines.map((line) => JSON.parse(line).code), code === undefined ? [] : [code], title)
    if (code !== undefined) t.match(JSON.parse(lines[0]!), { method: 'PUT', route: '/offers/:id', level: 50 })
  }
})

await t.test('an outage while the representation is read leaves the 412 as it is', async (t) => {
  const memory = memoryAdapter()
  let isDown = false
  const storage: StorageAdapter = {
    ...memory,
    async read (key, options) {
      if (isDown) throw new Error(SECRET)
      return await memory.read(key, options)
    }
  }
  const { app, etag } = await representingApp(t, shown, (app) => {
    app.addHook('onError', async () => { isDown = true })
  }, { storage })
  const { statusCode, headers, body } = await send(app, 'PUT /offers/1', STALE)
  t.same([statusCode, headers.etag, headers['retry-after']], [412, etag, undefined])
  t.notMatch(body, SECRET)
})

await t.test('what the function sets on the reply goes out with what it makes: another type, text, bytes, an address', async (t) => {
  const csv: Representation = ({ value }, request, reply) => {
    reply.type('text/csv').header('content-location', `/csv/${request.params.id}`)
    const rows = `title\n${value.title}\n`
    return request.query.bytes === undefined ? rows : Buffer.from(rows)
  }
  const { app } = await representingApp(t, csv)
  for (const request of ['POST /offers/1', 'PUT /offers/1?bytes']) {
    const { headers, body } = await send(app, request, STALE)
    t.same(body, `title\n${SECRET}\n`)
    t.match([headers['content-type'], headers['content-location']], [/^text\/csv/, '/csv/1'])
  }
  const made = await representingApp(t, ({ value }) => JSON.stringify(value))
  t.match((await send(made.app, 'PUT /offers/1', STALE)).headers['content-type'], 'application/json')
})

await t.test('a 412 stays one, and has a type, whatever the function does to the status and the headers of the reply', async (t) => {
  for (const status of [200, 403, 500]) {
    const { app, etag } = await representingApp(t, ({ value }, _request, reply) => {
      reply.code(status).removeHeader('content-type')
      return value
    })
    const { statusCode, headers, body } = await send(app, 'PUT /offers/1', STALE)
    t.same([statusCode, headers.etag, JSON.parse(body)], [412, etag, { title: SECRET, price: 1 }])
    t.match(headers, { 'content-type': 'application/json; charset=utf-8', 'content-location': './1' })
  }
  const { app } = await representingApp(t, ({ value }, _request, reply) => {
    reply.removeHeader('content-location')
    return value
  }, (app) => {
    app.addHook('onRequest', async (_request, reply) => { reply.header('content-location', '/elsewhere') })
  })
  t.equal((await send(app, 'PUT /offers/1', STALE)).headers['content-location'], './1')
})

await t.test('a function that sends by itself is not waited for, and its answer is the only one', async (t) => {
  const sends: Representation[] = [
    ({ value }, _request, reply) => reply.send(value),
    async ({ value }, _request, reply) => await reply.send(value),
    ({ value }, _request, reply) => { reply.send(value) }
  ]
  for (const representation of sends) {
    const { app, etag } = await representingApp(t, representation)
    const { statusCode, headers, body } = await send(app, 'PUT /offers/1', STALE)
    t.same([statusCode, headers.etag, JSON.parse(body)], [412, etag, { title: SECRET, price: 1 }])
    t.equal(headers['preference-applied'], undefined)
  }
})

await t.test('an address that no header can carry is left out', async (t) => {
  const { app } = await representingApp(t, shown, (app) => {
    app.addHook('onRequest', async ({ raw }) => { Object.assign(raw, { originalUrl: '/offers/\u{1f600}' }) })
  })
  const { headers } = await send(app, 'PUT /offers/1', STALE)
  t.same([headers['preference-applied'], headers['content-location']], ['return=representation', undefined])
})

await t.test('whatever the error handler answers with 412 gives way; another status stays as it is', async (t) => {
  const bodies: Record<string, (app: FastifyInstance) => unknown> = {
    object: (app) => app.setErrorHandler((_error, _request, reply) => reply.code(412).send({ own: true })),
    'a problem': (app) => app.setErrorHandler((_error, _request, reply) =>
      reply.code(412).type('application/problem+json').header('content-digest', 'sha-256=:x:').send({ own: true })),
    'a stream': (app) => app.setErrorHandler((_error, _request, reply) => reply.code(412).send(Readable.from(['own']))),
    'a Response': (app) => app.setErrorHandler(async () => new Response('own', { status: 412 })),
    nothing: (app) => app.setErrorHandler((_error, _request, reply) => reply.code(412).send()),
    'it throws': (app) => app.setErrorHandler((error) => { throw error })
  }
  for (const [title, prepare] of Object.entries(bodies)) {
    const { app, etag } = await representingApp(t, shown, prepare)
    const { statusCode, headers, body } = await send(app, 'PUT /offers/1', STALE)
    t.same([statusCode, JSON.parse(body), headers.etag], [412, { title: SECRET, price: 1 }, etag], title)
    t.same([headers['content-type'], headers['content-digest']], ['application/json; charset=utf-8', undefined], title)
    t.equal(Number(headers['content-length']), body.length)
  }
  for (const status of [200, 400, 403, 404, 409, 500]) {
    const { app } = await representingApp(t, shown, (app) => {
      app.setErrorHandler((_error, _request, reply) => reply.code(status).send({ own: true }))
    }, { precheck: true })
    const { statusCode, headers, body } = await send(app, 'PUT /offers/1', STALE)
    t.same([statusCode, headers['preference-applied'], headers.vary], [status, undefined, undefined])
    t.same(JSON.parse(body), { own: true })
  }
})

await t.test('a compressor, CORS and a hook that adds to the body find the representation whole, and its own headers', async (t) => {
  const { app, etag } = await representingApp(t, shown, async (app) => {
    await app.register(compress, { threshold: 0, global: true })
    await app.register(cors, { origin: ['http://a.example', 'http://b.example'] })
    app.addHook('onSend', async (_request, reply, payload) => {
      reply.header('content-length', '7')
      return payload
    })
  })
  const { headers, body } = await send(app, 'PUT /offers/1', {
    ...STALE, 'accept-encoding': 'gzip', origin: 'http://a.example'
  })
  t.same(JSON.parse(body), { title: SECRET, price: 1 })
  t.same([headers['content-encoding'], headers.etag], [undefined, etag])
  t.equal(headers['access-control-allow-origin'], 'http://a.example')
  const vary = String(headers.vary).split(/, */)
  t.ok(vary.includes('Origin') && vary.includes('Prefer'), String(headers.vary))
  t.equal(Number(headers['content-length']), body.length)
})

await t.test('the function is asked once, and a hook that runs twice sends what it made', async (t) => {
  let asked = 0
  const { app } = await representingApp(t, ({ value }) => { asked++; return value }, (app) => {
    // Our hook runs where it was put, and once more at the end.
    app.addHook('onRoute', (route) => {
      const hooks = ([] as Hook[]).concat(route.onSend as unknown as Hook[])
      Object.assign(route, { onSend: hooks.map((hook): Hook => function (...args) { return hook.apply(this, args) }) })
    })
  })
  const { statusCode, headers, body } = await send(app, 'PUT /offers/1', STALE)
  t.same([statusCode, JSON.parse(body), asked], [412, { title: SECRET, price: 1 }, 1])
  t.equal(headers['preference-applied'], 'return=representation')
})

await t.test('nothing is written while the answer is made: a write of the function is too late', async (t) => {
  const codes: unknown[] = []
  const { app, storage, etag } = await representingApp(t, async ({ value }, request) => {
    await request.entity().replace({}).catch((error: { code: string }) => { codes.push(error.code) })
    await request.entity('/log/1').create({}).catch((error: { code: string }) => { codes.push(error.code) })
    return value
  })
  t.equal((await send(app, 'PUT /offers/1', STALE)).statusCode, 412)
  t.same(codes.length, 2)
  t.equal(codes[1], 'FST_IF_MATCH_LATE_WRITE')
  t.same([await tagOf(storage), await storage.read('/log/1')], [etag, undefined])
})

await t.test('what a client inside of a transaction saw is not shown: the answer reads what is committed', async (t) => {
  const memory = memoryAdapter()
  await seed(memory, '1', { title: 'committed' })
  const uncommitted = { value: { title: SECRET }, version: 'u' }
  const storage: StorageAdapter = {
    ...memory,
    async write (key, value, expectation, options) {
      if (options?.context !== undefined) return { applied: false, current: uncommitted }
      return await memory.write(key, value, expectation, options)
    }
  }
  const { app } = await offersApp(t, { storage }, (app) => {
    app.put('/in/:id', {
      config: { ifMatch: { storage, key: '/offers/:id', precheck: false, representation: shown } }
    }, async (request) => await request.entity(undefined, { client: 'tx' }).replace({}))
  })
  const { statusCode, headers, body } = await send(app, 'PUT /in/1', STALE)
  t.same([statusCode, JSON.parse(body), headers.etag], [412, { title: 'committed' }, await tagOf(memory)])
})

await t.test('a 412 for another entity, behind a refusal that a write made up for, shows and tags nothing', async (t) => {
  const { app } = await representingApp(t, shown, (app) => {
    app.put('/made-up/:id', {
      config: { ifMatch: { key: '/offers/:id', representation: shown } }
    }, async (request) => {
      await request.entity().create({}).catch(() => {})
      await request.entity().replace({ title: 'mine' })
      throw new errorCodes.FST_IF_MATCH_PRECONDITION_FAILED('Another entity is not as it was', 'Read that one.')
    })
  })
  const { statusCode, headers, body } = await send(app, 'PUT /made-up/1', { 'if-match': '*', ...ASKED })
  t.same([statusCode, headers.etag, headers['preference-applied']], [412, undefined, undefined])
  t.match(body, 'Read that one')
})

await t.test('what a handler did not await and lost is shown as well', async (t) => {
  const { app, etag } = await representingApp(t, shown, (app) => {
    app.put('/later/:id', {
      config: { ifMatch: { key: '/offers/:id', precheck: false, representation: shown } }
    }, async (request) => {
      void request.entity().replace({})
      return 'done'
    })
  })
  const { statusCode, headers, body } = await send(app, 'PUT /later/1', STALE)
  t.same([statusCode, JSON.parse(body), headers.etag], [412, { title: SECRET, price: 1 }, etag])
})

const OPTIONS: Record<string, ReadonlyArray<Partial<IfMatchOptions>>> = {
  missing: ([400, 428, 'allow', 'warn'] as const).flatMap((missing) => [{ missing }, { missing: () => missing }]),
  create: ([false, 'if-none-match', 'wildcard'] as const).map((create) => ({ create })),
  absent: ([404, 412] as const).map((absent) => ({ absent })),
  compare: [{ compare: 'strong' }, { compare: 'opaque' }, { compare: (tag) => tag }],
  precheck: [{ precheck: true }, { precheck: false }],
  notModified: [{ notModified: 'late' }, { notModified: 'early' }],
  variant: [{}, { variant: () => 'csv' }],
  key: [{ key: '/offers/:id' }, { key: (request) => `/offers/${request.params.id}` }],
  global: [{ global: true }, { global: ['PUT', 'PATCH', 'POST', 'DELETE'] }, { global: () => true }]
}

await t.test("a stranger's refusal with Prefer carries nothing: every option × every strategy × every method (RFC 7240 2)", async (t) => {
  const said: Array<IfMatchRouteOptions['representation']> = [
    undefined,
    async ({ value }, { headers }) => headers['x-user'] === 'owner' && value,
    ({ value }, { headers }) => {
      if (headers['x-user'] === 'owner') return value
      throw new Error(JSON.stringify(value))
    }
  ]
  let refused = 0
  let shownToOwner = 0
  for (const [name, variations] of Object.entries(OPTIONS)) {
    for (const options of variations) {
      for (const representation of said) {
        const app = newApp(t)
        const storage = memoryAdapter()
        await app.register(ifMatch, { storage, ...options, ...representation !== undefined && { representation } })
        addOfferRoutes(app, true)
        for (const method of ['PUT', 'PATCH', 'DELETE', 'POST', 'GET', 'HEAD']) {
          const etag = await seed(storage, '1', { title: SECRET })
          for (const headers of [
            {}, { 'if-match': '"stale"' }, { 'if-match': `W/${etag}` }, { 'if-match': 'garbage' },
            { 'if-none-match': '*' }, { 'if-none-match': etag }, { 'if-match': '"stale"', 'if-none-match': '*' },
            { 'if-match': '*', 'if-none-match': etag }
          ]) {
            for (const url of ['/offers/1', '/offers/2']) {
              const response = await send(app, `${method} ${url}`, { ...headers, ...ASKED, 'x-user': 'stranger' })
              if (response.statusCode < 400) {
                await seed(storage, '1', { title: SECRET })
                await storage.remove('/offers/2', { kind: 'exists' })
                continue
              }
              refused++
              const all = response.body + JSON.stringify(response.headers)
              if (all.includes(SECRET) || response.headers['preference-applied'] !== undefined) {
                t.fail(`${name} ${JSON.stringify(options)} ${method} ${url} ${JSON.stringify(headers)}`)
              }
            }
          }
        }
        if (typeof representation === 'function') {
          const owner = await send(app, 'PUT /offers/1', { ...STALE, 'x-user': 'owner' })
          if (owner.body.includes(SECRET)) shownToOwner++
          else t.fail(`${name} ${JSON.stringify(options)}: its owner is shown nothing`)
        }
        await app.close()
      }
    }
  }
  t.ok(refused > 4000, `${refused} refusals`)
  t.ok(shownToOwner > 40, `${shownToOwner} owners`)
})

await t.test('the lines of Prefer are one list over HTTP/2, too', async (t) => {
  const { app, etag } = await representingApp(t, shown, undefined, {}, { http2: true } as never)
  const session = connect(`http://127.0.0.1:${await listen(app)}`)
  t.teardown(() => { session.close() })
  const stream = session.request({
    ':method': 'PUT',
    ':path': '/offers/1',
    'content-type': 'application/json',
    'if-match': '"stale"',
    prefer: ['respond-async', 'return=representation']
  })
  stream.end('{}')
  const [headers] = await once(stream, 'response') as [Record<string, unknown>]
  const body = await text(stream)
  t.same([headers[':status'], headers.etag, JSON.parse(body)], [412, etag, { title: SECRET, price: 1 }])
})
