import t from 'tap'
import ifMatch, { errorCodes, type Entity, type StorageAdapter } from 'fastify-if-match'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { addOfferRoutes, newApp, offersApp, seed, send, valueOf, type Offer } from '../support/offers-app.js'
import { withoutPauses } from '../support/without-pauses.js'

const secret = 'password=hunter2'
const WILDCARD = { 'if-match': '*' }

function failing (operations: string[], error: unknown): StorageAdapter {
  return memoryAdapter({
    around (step, operation) {
      if (operations.includes(operation)) throw error
      return step()
    }
  })
}

await t.test('an outage is 503 and never looks like an absence or a match', async (t) => {
  for (const method of ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'POST']) {
    const { app } = await offersApp(t, { storage: failing(['read', 'write', 'remove'], new Error(secret)) })
    for (const headers of [WILDCARD, { 'if-match': '"x"' }, { 'if-none-match': '*' }]) {
      if (method !== 'PUT' && method !== 'GET' && 'if-none-match' in headers) continue
      const response = await send(app, `${method} /offers/1`, headers)
      t.equal(response.statusCode, 503, `${method} ${JSON.stringify(headers)}`)
      t.notMatch(response.body, /hunter2/)
      t.equal(response.headers.etag, undefined)
    }
  }
})

await t.test('a read that fails wrote nothing (STORAGE_UNAVAILABLE); a write that fails may have written (OUTCOME_UNKNOWN)', async (t) => {
  const cause = new Error(secret)
  for (const [operations, ifMatch, code] of [
    [['read'], '"x"', 'FST_IF_MATCH_STORAGE_UNAVAILABLE'],
    [['write', 'remove'], '*', 'FST_IF_MATCH_OUTCOME_UNKNOWN']
  ] as const) {
    let thrown: Error | undefined
    const { app } = await offersApp(t, { storage: failing([...operations], cause) }, (app) => {
      app.addHook('onError', async (_request, _reply, error) => { thrown = error })
    })
    for (const method of ['PUT', 'DELETE']) {
      const response = await send(app, `${method} /offers/1`, { 'if-match': ifMatch })
      t.match(response.json(), { statusCode: 503, code })
      t.equal(thrown?.cause, cause, 'the log has the cause')
    }
  }
})

await t.test('an error of an adapter that has one of our codes is passed on', async (t) => {
  for (const code of ['FST_IF_MATCH_STORAGE_UNAVAILABLE', 'FST_IF_MATCH_OUTCOME_UNKNOWN'] as const) {
    const { app } = await offersApp(t, { storage: failing(['write', 'read'], new errorCodes[code]()) })
    t.match((await send(app, 'PUT /offers/1', WILDCARD)).json(), { statusCode: 503, code })
    t.match((await app.inject('/offers/1')).json(), { statusCode: 503, code })
  }
})

await t.test('an error of the app that says that nothing was applied leaves any adapter as it is; one of a server error is an outage', async (t) => {
  for (const method of ['GET', 'PUT', 'PATCH', 'DELETE']) {
    for (const [statusCode, answered] of [[409, 409], [422, 422], [502, 503], [undefined, 503]] as const) {
      const own = Object.assign(new Error('the shop is closed'), { statusCode, code: 'SHOP_CLOSED' })
      const operations = method === 'GET' || method === 'PATCH' ? ['read'] : ['write', 'remove']
      const { app } = await offersApp(t, { storage: failing(operations, own) })
      const response = await send(app, `${method} /offers/1`, WILDCARD)
      const isOut = answered < 500
      t.match([response.statusCode, response.json().code], [answered, isOut ? 'SHOP_CLOSED' : /^FST_IF_MATCH_/])
      if (isOut) t.equal(response.headers['retry-after'], undefined)
    }
  }
})

await t.test('a bug in an adapter is 500 without Retry-After, on reads and writes: the log has its message and stack, and the answer has not', async (t) => {
  const bug = (() => {
    try {
      return (undefined as unknown as { rows: Error }).rows
    } catch (error) {
      return error
    }
  })()
  const misspelt = Object.assign(new Error('column "titel" does not exist'), { code: '42703' })
  for (const [cause, said] of [[bug, /reading 'rows'.*storage-faults/s], [misspelt, /titel/]] as const) {
    for (const method of ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE']) {
      let log = ''
      const app = newApp(t, { logger: { level: 'info', stream: { write: (line: string) => { log += line } } } })
      await app.register(ifMatch, { storage: failing(['read', 'write', 'remove'], cause) })
      addOfferRoutes(app)
      const response = await send(app, `${method} /offers/1`, WILDCARD)
      t.equal(response.statusCode, 500, method)
      t.equal(response.headers['retry-after'], undefined)
      t.match(log, said)
      t.notMatch(response.body, said)
      if (method === 'HEAD') continue
      const isWrite = method === 'PUT' || method === 'DELETE'
      const message = isWrite ? /may have been applied/ : cause === bug ? /a read failed/ : /nothing was changed/
      t.match(response.json(), { code: 'FST_IF_MATCH_STORAGE_FAULT', message })
    }
  }
})

await t.test('an adapter over `fetch` that lost its connection had an outage, and no bug, though that is a TypeError', async (t) => {
  const lost = await fetch('http://127.0.0.1:1').catch((error: unknown) => error)
  t.match(lost, { name: 'TypeError', message: 'fetch failed' })
  const { app } = await offersApp(t, { storage: failing(['read', 'write'], lost) })
  t.match((await app.inject('/offers/1')).json(), { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE' })
  t.match((await send(app, 'PUT /offers/1', WILDCARD)).json(), { code: 'FST_IF_MATCH_OUTCOME_UNKNOWN' })
})

await t.test('a value that JSON cannot carry is 422 and changes nothing (FST_IF_MATCH_INVALID_VALUE)', async (t) => {
  const { app, storage } = await offersApp(t)
  const headers = { ...WILDCARD, 'content-type': 'application/json' }
  await seed(storage)
  const infinite = await send(app, 'PUT /offers/1', headers, '{"price":1e999}')
  t.match(infinite.json(), { statusCode: 422, code: 'FST_IF_MATCH_INVALID_VALUE' })
  const nested = await send(app, 'PUT /offers/1', headers, `${'['.repeat(600)}1${']'.repeat(600)}`)
  t.equal(nested.statusCode, 422)
  t.same(await valueOf(storage), { title: 'seeded' })
})

await t.test('a value that no client can send is a mistake of the server: 500, in the log with its place, and nothing changes (FST_IF_MATCH_NOT_JSON)', async (t) => {
  type Write = (entity: Entity<any>) => Promise<unknown>
  const due = new Date(0)
  const line = { due: 'tomorrow' }
  const made = 'the function that was passed to'
  const writes: Array<[write: Write, says: string]> = [
    [(entity) => entity.update((offer) => ({ ...offer, lines: [line, { due }] })), 'it has a Date at /lines/1/due'],
    [(entity) => entity.update((offer) => ({ ...offer, price: 1n })), 'it has a BigInt at /price'],
    [(entity) => entity.replace(() => ({ price: NaN })), 'it has NaN at /price'],
    [(entity) => entity.replace({ due }), 'it has a Date at /due'],
    [(entity) => entity.update(async () => due), 'it is a Date'],
    [(entity) => entity.update((offer) => { offer.price = 1 }), `${made} update() returned nothing`],
    [(entity) => entity.replace(() => {}), `${made} replace() returned nothing`],
    [(entity) => entity.replace(undefined), 'replace() was given no value']
  ]
  for (const [write, says] of writes) {
    let log = ''
    const logger = { level: 'error', stream: { write: (line: string) => { log += line } } }
    const { app, storage } = await offersApp(t, {}, (app) => {
      for (const method of ['PUT', 'POST', 'PATCH', 'DELETE'] as const) {
        const config = { ifMatch: { key: '/offers/:id' } }
        app.route({ method, url: '/own/:id', config, handler: async (request) => await write(request.entity()) })
      }
      app.post('/further', async (request) => await write(request.entity('/offers/1')))
    }, { logger })
    const etag = await seed(storage)
    for (const [request, tag] of [
      ['PUT /own/1', etag], ['POST /own/1', '*'], ['PATCH /own/1', etag], ['DELETE /own/1', '*'], ['POST /further']
    ] as const) {
      if (request === 'POST /further' && /replace/.test(write.toString())) continue // it would have to read first
      log = ''
      const response = await send(app, request, tag === undefined ? {} : { 'if-match': tag }, { price: 1 })
      t.match(response.json(), { statusCode: 500, code: 'FST_IF_MATCH_NOT_JSON' }, request)
      t.ok(response.json().message.includes(`: ${says}. `), response.json().message)
      t.match(JSON.parse(log), { level: 50, err: { code: 'FST_IF_MATCH_NOT_JSON', message: response.json().message } })
      t.equal(response.headers['retry-after'], undefined)
    }
    t.match(await storage.read('/offers/1'), { value: { title: 'seeded' }, version: etag.slice(1, -1) })
  }
})

await t.test('a request without a body, and numbers that are too large, are the client\'s mistake whatever made the value of them (FST_IF_MATCH_INVALID_VALUE)', async (t) => {
  const { app, storage } = await offersApp(t, {}, (app) => {
    app.post('/create', async (request) => await request.entity('/offers/new').create(request.body))
  })
  const etag = await seed(storage)
  const invalid = { statusCode: 422, code: 'FST_IF_MATCH_INVALID_VALUE' }
  const requests = [['PUT', '/offers/1', '*'], ['PUT', '/offers/1', etag], ['POST', '/create']] as const
  for (const [method, url, tag] of requests) {
    const response = await app.inject({ method, url, headers: tag === undefined ? {} : { 'if-match': tag } })
    t.match(response.json(), { ...invalid, message: /the request has no body/ })
  }
  const headers = { ...WILDCARD, 'content-type': 'application/json' }
  const patched = await send(app, 'PATCH /offers/1', headers, '{"price":-1e400}')
  t.match(patched.json(), { ...invalid, message: /an infinite number at \/price/ })
  t.equal((await storage.read('/offers/1'))?.version, etag.slice(1, -1))
})

await t.test('a value that an adapter gives and that is not JSON is a mistake of the server, also where a client could send it (FST_IF_MATCH_NOT_JSON)', async (t) => {
  for (const [value, says] of [
    [{ price: Infinity }, 'an infinite number at /price'],
    [{ due: new Date(0) }, 'a Date at /due']
  ] as const) {
    const current = { value, version: 'a' }
    const read: StorageAdapter = {
      ...memoryAdapter(),
      read: async () => current,
      write: async () => ({ applied: false, current: { ...current, version: 'b' } })
    }
    const refused = { ...read, read: async () => ({ value: {}, version: 'a' }) }
    const requests = [[read, 'PATCH /offers/1'], [refused, 'PATCH /offers/1'], [read, 'POST /look/1']] as const
    for (const [storage, request] of requests) {
      const { app } = await offersApp(t, { storage }, (app) => {
        const config = { ifMatch: { key: '/offers/:id', storage } }
        app.post('/look/:id', { config }, async (request) => await request.entity().read())
      })
      const response = await send(app, request, { 'if-match': '"a", "b"' })
      t.match(response.json(), { statusCode: 500, code: 'FST_IF_MATCH_NOT_JSON' })
      t.ok(response.json().message.includes(`: what the storage adapter gave has ${says}. `), response.json().message)
    }
  }
})

await t.test('an adapter that answers nonsense is 500, not a success (FST_IF_MATCH_INVALID_ADAPTER)', async (t) => {
  for (const answer of [undefined, null, {}, true, { applied: 1 }]) {
    const { app } = await offersApp(t, {
      storage: { read: async () => undefined, write: async () => answer as never, remove: async () => answer as never }
    })
    for (const method of ['PUT', 'DELETE']) {
      const response = await send(app, `${method} /offers/1`, WILDCARD)
      t.match(response.json(), { statusCode: 500, code: 'FST_IF_MATCH_INVALID_ADAPTER' })
    }
  }
})

await t.test('an adapter around another one that maps the value that was left out loses no part of it', async (t) => {
  const memory = memoryAdapter<Offer>()
  const storage: StorageAdapter = {
    ...memory,
    async read (key, options) {
      const stored = await memory.read(key, options)
      return stored && { ...stored, value: { price: 1, ...stored.value } }
    }
  }
  const { app } = await offersApp(t, { storage }, (app) => {
    app.put('/priced/:id', { config: { ifMatch: { key: '/offers/:id' } } }, async (request) =>
      (await request.entity<Offer>().replace((offer) => ({ ...offer!, price: offer!.price! + 1 }))).value)
  })
  const etag = await seed(storage)
  t.same((await send(app, 'PUT /priced/1', { 'if-match': etag })).json(), { title: 'seeded', price: 2 })
})

await t.test('an adapter that leaves out a value that it was asked for is 500, and no empty success (FST_IF_MATCH_INVALID_ADAPTER)', async (t) => {
  const memory = memoryAdapter()
  const storage: StorageAdapter = { ...memory, read: async (key) => await memory.read(key, { unless: '*' }) }
  const { app } = await offersApp(t, { storage })
  const etag = await seed(storage)
  for (const [request, headers] of [['GET /offers/1', {}], ['PATCH /offers/1', { 'if-match': etag }]] as const) {
    const { statusCode, code, message } = (await send(app, request, headers)).json()
    t.same([statusCode, code], [500, 'FST_IF_MATCH_INVALID_ADAPTER'], request)
    t.match(message, /left out a value that it was asked for/)
  }
  t.equal((await send(app, 'PUT /offers/1', { 'if-match': etag })).statusCode, 200)
})

await t.test('an adapter that reads null is 500, not an absence (FST_IF_MATCH_INVALID_ADAPTER)', async (t) => {
  const { app } = await offersApp(t, {
    storage: {
      read: async () => null as never,
      write: async () => ({ applied: false, current: null as never }),
      remove: async () => ({ applied: false, current: null as never })
    }
  })
  t.equal((await app.inject('/offers/1')).json().code, 'FST_IF_MATCH_INVALID_ADAPTER')
  const put = await send(app, 'PUT /offers/1', { 'if-none-match': '*' })
  t.equal(put.json().code, 'FST_IF_MATCH_INVALID_ADAPTER')
})

await t.test('an adapter that refuses the version that it expected is not believed: 503, never a 412 with the tag that was sent', async (t) => {
  withoutPauses(t)
  const current = { value: {}, version: 'same' }
  const { app } = await offersApp(t, {
    storage: {
      read: async () => current,
      write: async () => ({ applied: false, current }),
      remove: async () => ({ applied: false, current })
    }
  })
  const response = await send(app, 'DELETE /offers/1', { 'if-match': '"same"' })
  t.match(response.json(), { statusCode: 503, code: 'FST_IF_MATCH_CONTENTION' })
})
