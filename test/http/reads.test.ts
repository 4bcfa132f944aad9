// What a handler is given by reads, alone and beside other operations of the same request.
import t from 'tap'
import type { StorageAdapter } from 'fastify-if-match'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { barrier } from '../support/barrier.js'
import { ANY } from '../support/expectations.js'
import { offersApp, seed, send, statusOf, valueOf, type Offer } from '../support/offers-app.js'

const KEY = '/offers/1'
const OFFERS = { ifMatch: { key: '/offers/:id' } }
const OFFERS_UNCHECKED = { ifMatch: { key: '/offers/:id', precheck: false } }

/** A storage whose next read has its snapshot at once, and answers it when it is released. */
function slowRead () {
  const gate = barrier()
  let isSlow = false
  let reads = 0
  const storage = memoryAdapter({
    async around (step, operation) {
      const result = step()
      if (operation !== 'read') return result
      reads++
      if (isSlow) {
        isSlow = false
        await gate.opened
      }
      return result
    }
  })
  /** The next read is overtaken by all that comes after it. */
  const slowNext = (): void => { isSlow = true }
  return { storage, slowNext, release: () => { gate.open() }, reads: () => reads }
}

await t.test('a change that a handler makes in a value that it read never reaches the store by itself', async (t) => {
  const { app, storage } = await offersApp(t, {}, (app) => {
    app.post('/act/:id', { config: OFFERS }, async (request) => {
      const entity = request.entity<Offer>()
      const first = await entity.read()
      first.value.title = 'changed in hand'
      t.equal((await entity.read()).value.title, 'seeded')
      await entity.update((offer) => {
        offer.title = 'half done'
        throw new Error('given up')
      }).catch(() => {})
      const saved = await entity.update((offer) => ({ ...offer, price: 1 }))
      saved.value.title = 'changed after the write'
      t.same((await entity.read()).value, { title: 'seeded', price: 1 })
      await entity.update((offer) => ({ ...offer, price: 2 }))
    })
  })
  const etag = await seed(storage)
  t.equal(await statusOf(app, 'POST /act/1', { 'if-match': etag }), 200)
  t.same(await valueOf(storage), { title: 'seeded', price: 2 })
})

await t.test('a GET is given one object, read once; an update in it starts from the stored value all the same', async (t) => {
  const { storage, reads } = slowRead()
  const { app } = await offersApp(t, { storage }, (app) => {
    app.get('/visits/:id', { config: { ifMatch: { key: '/offers/:id', missing: 'allow' } } }, async (request) => {
      const entity = request.entity<Offer>()
      const { value } = await entity.read()
      value.title = 'changed in hand'
      t.equal((await entity.read()).value, value)
      t.equal(reads(), 1)
      await entity.update((offer) => ({ ...offer, price: 1 }))
      return value
    })
  })
  await seed(storage)
  t.match((await app.inject('/visits/1')).json(), { title: 'changed in hand' })
  t.same(await valueOf(storage), { title: 'seeded', price: 1 })
})

await t.test('a GET is given one object of another entity, too; an update in it starts from the stored value', async (t) => {
  const { app, storage } = await offersApp(t, {}, (app) => {
    app.get('/visits/:id', { config: { ifMatch: { key: '/offers/:id', missing: 'allow' } } }, async (request) => {
      await request.entity().read()
      const other = request.entity<Offer>('/offers/2')
      const { value } = await other.read()
      value.title = 'changed in hand'
      await other.update((offer) => ({ ...offer, price: 1 }))
      return value
    })
  })
  await seed(storage)
  await storage.write('/offers/2', { title: 'seeded' }, ANY)
  t.match((await app.inject('/visits/1')).json(), { title: 'changed in hand' })
  t.same((await storage.read('/offers/2'))?.value, { title: 'seeded', price: 1 })
})

await t.test('reads that overlap are one, so no body has the tag of a later one', async (t) => {
  const { storage, slowNext, release, reads } = slowRead()
  const { app } = await offersApp(t, { storage }, (app) => {
    app.get('/twice/:id', { config: OFFERS_UNCHECKED }, async (request) => {
      const entity = request.entity<Offer>()
      slowNext()
      const first = entity.read()
      await storage.write(KEY, { title: 'newer' }, ANY)
      const second = entity.read()
      release()
      t.equal((await second).value, (await first).value)
      return (await first).value
    })
  })
  const etag = await seed(storage)
  const response = await app.inject('/twice/1')
  t.match([response.json(), response.headers.etag, reads()], [{ title: 'seeded' }, etag, 1])
})

for (const first of ['read', 'unchanged'] as const) {
  for (const sent of ['read', 'unchanged'] as const) {
    await t.test(`${first}() is overtaken by the other, ${sent}() is sent: the body has not the tag of a later one`, async (t) => {
      const { storage, slowNext, release } = slowRead()
      const { app } = await offersApp(t, { storage }, (app) => {
        app.get('/both/:id', { config: OFFERS_UNCHECKED }, async (request) => {
          const entity = request.entity<Offer>()
          slowNext()
          const begun = { [first]: entity[first]() }
          await storage.write(KEY, { title: 'newer' }, ANY)
          const second = first === 'read' ? 'unchanged' : 'read'
          begun[second] = entity[second]()
          setImmediate(release) // once all that does not wait for the first one has gone on
          await Promise.all(Object.values(begun))
          const { value, etag } = await begun[sent]!
          return { value, etag }
        })
      })
      const etag = await seed(storage)
      const response = await app.inject('/both/1')
      const tag = response.headers.etag
      const body = response.json()
      // An older tag than that of the body is refused when it is sent back, and loses nothing.
      t.ok([etag, body.etag].includes(tag), `${tag} for ${body.etag}`)
      if (body.value.title === 'seeded') t.equal(tag, etag)
    })
  }
}

await t.test('a read that a write of its own request overtakes does not bring the old state back', async (t) => {
  const { storage, slowNext, release } = slowRead()
  const { app } = await offersApp(t, { storage }, (app) => {
    app.post('/act/:id', { config: OFFERS_UNCHECKED }, async (request) => {
      const entity = request.entity<Offer>()
      slowNext()
      const reading = entity.read()
      await entity.replace({ title: 'mine' })
      t.equal((await entity.read()).value.title, 'mine')
      release()
      t.equal((await reading).value.title, 'seeded')
      return (await entity.update((offer) => ({ ...offer, price: 1 }))).value
    })
  })
  const etag = await seed(storage)
  const response = await send(app, 'POST /act/1', { 'if-match': etag })
  t.match([response.statusCode, response.json()], [200, { title: 'mine', price: 1 }])
})

await t.test('the tag of an answer is never newer than what the handler had in hand', async (t) => {
  const { app, storage } = await offersApp(t, {}, (app) => {
    app.put('/raced/:id', { config: OFFERS }, async (request) => {
      const { value, etag } = await request.entity<Offer>().replace({ title: 'mine' })
      await storage.write(KEY, { title: 'other' }, ANY)
      await request.entity<Offer>().read()
      return { value, etag }
    })
    app.get('/raced/:id', { config: OFFERS }, async (request) => {
      const { value, etag } = await request.entity<Offer>().read()
      await storage.write(KEY, { title: 'newer' }, ANY)
      await request.entity<Offer>().unchanged()
      return { value, etag }
    })
  })
  await seed(storage)
  const put = await send(app, 'PUT /raced/1', { 'if-match': '*' })
  t.match(put.json(), { value: { title: 'mine' }, etag: put.headers.etag })
  const get = await app.inject('/raced/1')
  t.match(get.json(), { value: { title: 'other' }, etag: get.headers.etag })
})

await t.test('what a hook begins to read during a comparison that reads no value has a value all the same', async (t) => {
  const [begun, hookReads] = [barrier(), barrier()]
  const memory = memoryAdapter()
  const storage: StorageAdapter = {
    ...memory,
    async read (key, options) {
      begun.open()
      await hookReads.opened
      return await memory.read(key, options)
    }
  }
  let read: Promise<{ value: Offer }> | undefined
  const { app } = await offersApp(t, { storage }, (app) => {
    app.addHook('preHandler', async (request) => {
      read = begun.opened.then(async () => {
        const reading = request.entity<Offer>().read()
        hookReads.open()
        return await reading
      })
    })
    app.put('/read/:id', { config: OFFERS }, async (request) => {
      const { value } = (await read)!
      await request.entity<Offer>().replace({ title: 'mine' })
      return value
    })
  })
  t.same((await send(app, 'PUT /read/1', { 'if-match': await seed(memory) })).json(), { title: 'seeded' })
})

await t.test('a read is waited for where the app has replaced the Promise of the platform, and its failure has an owner', async (t) => {
  const memory = memoryAdapter()
  const storage: StorageAdapter = {
    ...memory,
    async read (key, options) {
      if (key === '/offers/broken') throw new Error('the store is away')
      return await memory.read(key, options)
    }
  }
  const { app } = await offersApp(t, { storage }, (app) => {
    app.get('/unchecked/:id', { config: OFFERS_UNCHECKED }, async (request) => (await request.entity().read()).value)
    app.get('/further/:id', { config: OFFERS }, async (request) => (await request.entity('/offers/2').read()).value)
    app.get('/broken/:id', { config: OFFERS }, async (request) => (await request.entity('/offers/broken').read()).value)
  })
  await seed(storage)
  await seed(storage, '2')
  const OfApp = class <T> extends Promise<T> {}
  t.intercept(globalThis, 'Promise', { value: OfApp, configurable: true, writable: true })
  t.equal(await statusOf(app, 'GET /unchecked/1'), 200)
  t.equal(await statusOf(app, 'GET /further/1'), 200)
  t.equal(await statusOf(app, 'GET /broken/1'), 503)
})

await t.test('readText gives the text that the engine keeps, with its version, and asks for no value', async (t) => {
  let asked = 0
  const text = '{ "title":  "seeded", "big": 12345678901234567890 }'
  const storage: StorageAdapter = {
    ...memoryAdapter(),
    async read (key) {
      if (key !== KEY) return undefined
      return { json: text, version: 'v1', get value () { asked++; return {} } }
    }
  }
  const { app } = await offersApp(t, { storage }, (app) => {
    app.get('/text/:id', { config: OFFERS }, async (request, reply) => {
      const { text, version, etag } = await request.entity().readText()
      t.same([version, etag], ['v1', '"v1"'])
      return reply.type('application/json').send(text)
    })
  })
  const response = await send(app, 'GET /text/1')
  t.match(response, { statusCode: 200, body: text, headers: { etag: '"v1"', 'content-length': String(text.length) } })
  t.match(response.headers['content-type'], /^application\/json/)
  t.equal((await send(app, 'GET /text/1', { 'if-none-match': '"v1"' })).statusCode, 304)
  t.match(await send(app, 'GET /text/2'), { statusCode: 404 })
  t.equal(asked, 0)
})

await t.test('readText makes the text of a value where the engine keeps none, also of a further entity', async (t) => {
  const memory = memoryAdapter()
  const storage: StorageAdapter = {
    ...memory,
    async read (key, options) {
      const stored = await memory.read(key, options)
      return stored && { version: stored.version, value: stored.value }
    }
  }
  const { app } = await offersApp(t, { storage }, (app) => {
    app.get('/text/:id', { config: OFFERS }, async (request, reply) =>
      reply.type('application/json').send((await request.entity().readText()).text))
    app.put('/copy/:id', { config: OFFERS }, async (request) => {
      const { text } = await request.entity('/offers/2').readText()
      return (await request.entity().replace(JSON.parse(text))).value
    })
    app.get('/changed/:id', { config: { ifMatch: { key: '/offers/:id', missing: 'allow' } } }, async (request) => {
      const entity = request.entity<Offer>()
      const { text } = await entity.readText()
      t.equal(text, '{"title":"seeded"}')
      return (await entity.update((offer) => ({ ...offer, price: 1 }))).value
    })
  })
  const etag = await seed(storage)
  await seed(storage, '2', { title: 'second' })
  t.match(await send(app, 'GET /text/1'), { body: '{"title":"seeded"}', headers: { etag } })
  t.equal((await send(app, 'PUT /copy/1', { 'if-match': etag })).statusCode, 200)
  t.same(await valueOf(storage), { title: 'second' })
  await seed(storage)
  t.same((await send(app, 'GET /changed/1')).json(), { title: 'seeded', price: 1 })
})
