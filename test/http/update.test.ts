import { conditionalWrite } from '../../lib/request/conditional-write.js'
import t from 'tap'
import type { StorageAdapter } from 'fastify-if-match'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { offersApp, seed, type Offer } from '../support/offers-app.js'

const KEY = '/offers/1'

/** A storage in which somebody else writes just before each of the next writes. */
function contested (times: number) {
  const storage = memoryAdapter<Offer>()
  let price = 0
  const contested: StorageAdapter<Offer> = {
    ...storage,
    async write (key, value, expectation, options) {
      if (times-- > 0) await storage.write(key, { title: 'other', price: ++price }, { kind: 'any' })
      return await storage.write(key, value, expectation, options)
    }
  }
  return { storage, contested }
}

await t.test('update under a tag is one compare-and-swap on the version that was read: a lost race is 412 (R58)', async (t) => {
  const { storage, contested: adapter } = contested(1)
  let runs = 0
  const { app } = await offersApp(t, { storage: adapter }, (app) => {
    app.post('/act/:id', { config: { ifMatch: { key: '/offers/:id' } } }, async (request) =>
      (await request.entity<Offer>().update((offer) => { runs++; return { ...offer, price: 1 } })).value)
  })
  const etag = await seed(storage)
  const response = await app.inject({ method: 'POST', url: '/act/1', headers: { 'if-match': etag } })
  t.equal(response.statusCode, 412)
  t.equal(runs, 1)
  t.same((await storage.read(KEY))?.value.title, 'other')
})

await t.test('update under a list goes on if what it lost to is in the list, and ends if it is not', async (t) => {
  // A storage whose versions a test can foretell: it holds a, and somebody makes b of it just before the first write.
  const asked: unknown[] = []
  const storage: StorageAdapter<Offer> = {
    ...memoryAdapter<Offer>(),
    read: async () => ({ value: { title: 'a' }, version: 'a' }),
    async write (_key, value, expectation) {
      asked.push(expectation, value)
      return asked.length > 2
        ? { applied: true, version: 'c', created: false }
        : { applied: false, current: { value: { title: 'b' }, version: 'b' } }
    }
  }
  const { app } = await offersApp(t, { storage })
  const patch = async (tags: string) =>
    (await app.inject({ method: 'PATCH', url: '/offers/1', headers: { 'if-match': tags }, payload: { price: 3 } }))
      .statusCode
  t.equal(await patch('"a", "b"'), 200)
  t.same(asked, [
    { kind: 'version', versions: ['a'] },
    { title: 'a', price: 3 },
    { kind: 'version', versions: ['b'] },
    { title: 'b', price: 3 }
  ])
  asked.length = 0
  t.equal(await patch('"a", "z"'), 412)
})

await t.test('update under * tries again after a lost race, on what it lost to (R58)', async (t) => {
  const { storage, contested: adapter } = contested(3)
  const { app } = await offersApp(t, { storage: adapter })
  await seed(storage)
  const response = await app.inject({
    method: 'PATCH',
    url: '/offers/1',
    headers: { 'if-match': '*' },
    payload: { title: 'mine' }
  })
  t.equal(response.statusCode, 200)
  t.same(response.json(), { title: 'mine', price: 3 }, 'applied to the last of the three')
})

await t.test('update under * that loses again and again is 503 with Retry-After (FST_IF_MATCH_CONTENTION)', async (t) => {
  const { storage, contested: adapter } = contested(Infinity)
  const { app } = await offersApp(t, { storage: adapter })
  await seed(storage)
  const response = await app.inject({ method: 'PATCH', url: '/offers/1', headers: { 'if-match': '*' }, payload: { title: 'mine' } })
  t.equal(response.statusCode, 503)
  t.equal(response.json().code, 'FST_IF_MATCH_CONTENTION')
  t.equal(response.headers['retry-after'], '1')
  t.equal((await storage.read(KEY))?.value.title, 'other')
})

await t.test('update under * of an entity that is removed meanwhile is 404', async (t) => {
  const storage = memoryAdapter()
  const { app } = await offersApp(t, {
    storage: {
      ...storage,
      async write (key, value, expectation) {
        await storage.remove(key, { kind: 'exists' })
        return await storage.write(key, value, expectation)
      }
    }
  })
  await seed(storage)
  const response = await app.inject({ method: 'PATCH', url: '/offers/1', headers: { 'if-match': '*' }, payload: { title: 'mine' } })
  t.equal(response.statusCode, 404)
  t.equal(await storage.read(KEY), undefined)
})

await t.test('If-None-Match with a tag on a write: read, compare and swap, and again (DESIGN 4)', async (t) => {
  const { storage, contested: adapter } = contested(2)
  const { app } = await offersApp(t, { storage: adapter, missing: 'allow' })
  const etag = await seed(storage)
  const put = async (ifNoneMatch: string) =>
    await app.inject({
      method: 'PUT',
      url: '/offers/1',
      headers: { 'if-none-match': ifNoneMatch },
      payload: { title: 'mine' }
    })
  t.equal((await put('"x"')).statusCode, 200)
  t.equal((await put(etag)).statusCode, 200, 'no longer the current one')
  const current = (await storage.read(KEY))!.version
  t.equal((await put(`"x", W/"${current}"`)).statusCode, 412, 'weak comparison (R21)')
})

await t.test('update: the function may be async, and what it throws is the answer', async (t) => {
  const { app, storage } = await offersApp(t, {}, (app) => {
    app.post(
      '/act/:id',
      { config: { ifMatch: { key: '/offers/:id' } } },
      async (request) =>
        (
          await request.entity<Offer>().update(async (offer) => {
            if (offer.price === 7) throw Object.assign(new Error('sold'), { statusCode: 409 })
            return await Promise.resolve({ ...offer, price: 7 })
          })
        ).value
    )
  })
  await seed(storage)
  const act = async () => await app.inject({ method: 'POST', url: '/act/1', headers: { 'if-match': '*' } })
  t.equal((await act()).statusCode, 200)
  t.equal((await act()).statusCode, 409)
})

await t.test('replace with a function: the current value or undefined goes in, and the precondition decides', async (t) => {
  const given: unknown[] = []
  const { app } = await offersApp(t, { create: 'wildcard' }, (app) => {
    app.put('/act/:id', { config: { ifMatch: { key: '/offers/:id', create: 'wildcard' } } }, async (request, reply) => {
      const saved = await request.entity<Offer>().replace((current) => {
        given.push(current)
        return { title: 'n', price: (current?.price ?? 0) + 1 }
      })
      return await reply.code(saved.created ? 201 : 200).send(saved.value)
    })
  })
  const put = async (headers: Record<string, string>) =>
    await app.inject({ method: 'PUT', url: '/act/1', headers, payload: {} })
  const first = await put({ 'if-match': '*' })
  t.same([first.statusCode, first.json()], [201, { title: 'n', price: 1 }])
  t.same((await put({ 'if-match': first.headers.etag as string })).json(), { title: 'n', price: 2 })
  t.equal((await put({ 'if-match': first.headers.etag as string })).statusCode, 412)
  t.equal((await put({ 'if-none-match': '*' })).statusCode, 412)
  t.same(given, [undefined, { title: 'n', price: 1 }])
})

await t.test('a second write of the same request compares with the first, not with the tag that the client sent', async (t) => {
  const { app, storage } = await offersApp(t, {}, (app) => {
    app.put('/twice/:id', { config: { ifMatch: { key: '/offers/:id' } } }, async (request) => {
      const entity = request.entity<Offer>()
      await entity.replace({ title: 'one' })
      if (request.headers['x-race'] !== undefined) await storage.write(KEY, { title: 'other' }, { kind: 'any' })
      await entity.update((offer) => ({ ...offer, price: 2 }))
      return (await entity.read()).value
    })
    app.put('/again/:id', { config: { ifMatch: { key: '/offers/:id' } } }, async (request) => {
      await request.entity<Offer>().remove()
      return await request.entity<Offer>().replace({ title: 'again' })
    })
  })
  const etag = await seed(storage)
  const twice = await app.inject({ method: 'PUT', url: '/twice/1', headers: { 'if-match': etag }, payload: {} })
  t.same([twice.statusCode, twice.json()], [200, { title: 'one', price: 2 }])
  t.equal(twice.headers.etag, `"${(await storage.read(KEY))?.version}"`)
  const raced = await app.inject({
    method: 'PUT',
    url: '/twice/1',
    headers: { 'if-match': twice.headers.etag as string, 'x-race': '1' },
    payload: {}
  })
  t.equal(raced.statusCode, 412)
  const current = `"${(await storage.read(KEY))?.version}"`
  t.equal(
    (await app.inject({ method: 'PUT', url: '/again/1', headers: { 'if-match': current }, payload: {} })).statusCode,
    200,
    'absent since its own removal'
  )
  t.same((await storage.read(KEY))?.value, { title: 'again' })
  t.equal(
    (await app.inject({ method: 'PUT', url: '/twice/1', headers: { 'if-match': '*', 'x-race': '1' }, payload: {} }))
      .statusCode,
    200,
    'and * stays without comparison'
  )
  t.equal(
    (await app.inject({ method: 'PUT', url: '/twice/2', headers: { 'if-none-match': '*' }, payload: {} })).statusCode,
    200,
    'what it created is what it compares with'
  )
  const removed = await app.inject({
    method: 'PUT',
    url: '/again/1',
    headers: { 'if-match': `"${(await storage.read(KEY))?.version}"` },
    payload: {}
  })
  t.equal(removed.statusCode, 200)
})

await t.test('writers under * that lose pause before the next attempt', async (t) => {
  const jitter = t.capture(Math, 'random', () => 0)
  const current = { value: 1, version: 'a' }
  await t.rejects(conditionalWrite({
    preconditions: { ifMatch: '*', ifNoneMatch: undefined },
    policy: { mayCreate: false, wildcardCreates: false, absent: 404 },
    read: async () => ({ stored: current }),
    prepare: async () => {},
    act: async () => ({ applied: false, current }),
    refusal: () => new Error('not refused')
  }), { code: 'FST_IF_MATCH_CONTENTION' })
  t.equal(jitter().length, 47)
})

await t.test('create of the own entity is 412 where there is one, whatever the tag says', async (t) => {
  const { app, storage } = await offersApp(t, { create: 'wildcard' }, (app) => {
    app.put('/new/:id', { config: { ifMatch: { key: '/offers/:id', create: 'wildcard' } } }, async (request, reply) =>
      await reply.code(201).send((await request.entity().create(request.body)).value))
  })
  const send = async (headers: Record<string, string>) =>
    (await app.inject({ method: 'PUT', url: '/new/1', headers, payload: { a: 1 } })).statusCode
  t.equal(await send({ 'if-match': '"x"' }), 412)
  t.equal(await send({ 'if-match': '*' }), 201)
  t.equal(await send({ 'if-match': '*' }), 412)
  t.equal(await send({ 'if-none-match': '*' }), 412)
  t.equal(await send({ 'if-match': `"${(await storage.read(KEY))?.version}"` }), 412)
})

await t.test('what a handler does to a value that it read never reaches the store by itself (DESIGN 4)', async (t) => {
  const { app, storage } = await offersApp(t, {}, (app) => {
    app.post('/act/:id', { config: { ifMatch: { key: '/offers/:id' } } }, async (request) => {
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
  t.equal((await app.inject({ method: 'POST', url: '/act/1', headers: { 'if-match': etag } })).statusCode, 200)
  t.same((await storage.read(KEY))?.value, { title: 'seeded', price: 2 })
})

await t.test('a GET is given one object, read once; a change in it starts from what is stored all the same (DESIGN 4)', async (t) => {
  let reads = 0
  const storage = memoryAdapter({
    around (step, operation) {
      if (operation === 'read') reads++
      return step()
    }
  })
  const { app } = await offersApp(t, { storage }, (app) => {
    app.get('/visits/:id', { config: { ifMatch: { key: '/offers/:id', missing: 'allow' } } }, async (request) => {
      const entity = request.entity<Offer>()
      const { value } = await entity.read()
      value.title = 'changed in hand'
      t.equal((await entity.read()).value, value)
      t.equal(reads, 1)
      await entity.update((offer) => ({ ...offer, price: 1 }))
      return value
    })
  })
  await seed(storage)
  t.match((await app.inject('/visits/1')).json(), { title: 'changed in hand' })
  t.same((await storage.read(KEY))?.value, { title: 'seeded', price: 1 })
})

await t.test('reads that overlap are one, so no body has the tag of a later one (R3)', async (t) => {
  let reads = 0
  let pass!: () => void
  const gate = new Promise<void>((resolve) => { pass = resolve })
  const storage = memoryAdapter({
    async around (step, operation) {
      const result = step()
      // The first read is overtaken by whatever comes after it.
      if (operation === 'read' && ++reads === 1) await gate
      return result
    }
  })
  const { app } = await offersApp(t, { storage }, (app) => {
    app.get('/twice/:id', { config: { ifMatch: { key: '/offers/:id', precheck: false } } }, async (request) => {
      const entity = request.entity<Offer>()
      const first = entity.read()
      await storage.write(KEY, { title: 'newer' }, { kind: 'any' })
      const second = entity.read()
      pass()
      t.equal((await second).value, (await first).value)
      return (await first).value
    })
  })
  const etag = await seed(storage)
  const response = await app.inject('/twice/1')
  t.match([response.json(), response.headers.etag, reads], [{ title: 'seeded' }, etag, 1])
})

await t.test('read() and unchanged() that overlap: no body has the tag of a later one, whichever is first and whichever is sent (R3)', async (t) => {
  for (const first of ['read', 'unchanged'] as const) {
    for (const sent of ['read', 'unchanged'] as const) {
      let reads = 0
      let pass!: () => void
      const gate = new Promise<void>((resolve) => { pass = resolve })
      const storage = memoryAdapter({
        async around (step, operation) {
          const result = step()
          if (operation === 'read' && ++reads === 1) await gate
          return result
        }
      })
      const { app } = await offersApp(t, { storage }, (app) => {
        app.get('/both/:id', { config: { ifMatch: { key: '/offers/:id', precheck: false } } }, async (request) => {
          const entity = request.entity<Offer>()
          const begun = { [first]: entity[first]() }
          await storage.write(KEY, { title: 'newer' }, { kind: 'any' })
          const second = first === 'read' ? 'unchanged' : 'read'
          begun[second] = entity[second]()
          setImmediate(pass) // once all that goes on without the first one has gone on
          await Promise.all(Object.values(begun))
          const { value, etag } = await begun[sent]!
          return { value, etag }
        })
      })
      const etag = await seed(storage)
      const response = await app.inject('/both/1')
      // An older tag than that of the body is refused when it is sent back, and loses nothing.
      t.ok(
        [etag, response.json().etag].includes(response.headers.etag),
        `first ${first}, sent ${sent}: ${response.headers.etag} for ${response.json().etag}`
      )
      if (response.json().value.title === 'seeded') t.equal(response.headers.etag, etag)
    }
  }
})

await t.test('a read that a write of its own request overtakes does not bring the old state back', async (t) => {
  let isSlow = false
  let pass!: () => void
  const gate = new Promise<void>((resolve) => { pass = resolve })
  const storage = memoryAdapter({
    async around (step, operation) {
      const result = step()
      if (operation === 'read' && isSlow) {
        isSlow = false
        await gate
      }
      return result
    }
  })
  const { app } = await offersApp(t, { storage }, (app) => {
    app.post('/act/:id', { config: { ifMatch: { key: '/offers/:id', precheck: false } } }, async (request) => {
      const entity = request.entity<Offer>()
      isSlow = true
      const reading = entity.read()
      await entity.replace({ title: 'mine' })
      t.equal((await entity.read()).value.title, 'mine')
      pass()
      t.equal((await reading).value.title, 'seeded')
      return (await entity.update((offer) => ({ ...offer, price: 1 }))).value
    })
  })
  const etag = await seed(storage)
  const response = await app.inject({ method: 'POST', url: '/act/1', headers: { 'if-match': etag } })
  t.match([response.statusCode, response.json()], [200, { title: 'mine', price: 1 }])
})

await t.test('the tag of an answer is never newer than what the handler had in hand', async (t) => {
  const { app, storage } = await offersApp(t, {}, (app) => {
    app.put('/raced/:id', { config: { ifMatch: { key: '/offers/:id' } } }, async (request) => {
      const { value, etag } = await request.entity<Offer>().replace({ title: 'mine' })
      await storage.write(KEY, { title: 'other' }, { kind: 'any' })
      await request.entity<Offer>().read()
      return { value, etag }
    })
    app.get('/raced/:id', { config: { ifMatch: { key: '/offers/:id' } } }, async (request) => {
      const { value, etag } = await request.entity<Offer>().read()
      await storage.write(KEY, { title: 'newer' }, { kind: 'any' })
      await request.entity<Offer>().unchanged()
      return { value, etag }
    })
  })
  await seed(storage)
  const put = await app.inject({ method: 'PUT', url: '/raced/1', headers: { 'if-match': '*' }, payload: {} })
  t.match(put.json(), { value: { title: 'mine' }, etag: put.headers.etag })
  const get = await app.inject('/raced/1')
  t.match(get.json(), { value: { title: 'other' }, etag: get.headers.etag })
})
