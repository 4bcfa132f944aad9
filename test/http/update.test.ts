import t from 'tap'
import type { FastifyRequest } from 'fastify'
import type { Entity, StorageAdapter } from 'fastify-if-match'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { conditionalWrite } from '../../lib/request/conditional-write.js'
import { ANY, EXISTS } from '../support/expectations.js'
import { offersApp, seed, send, statusOf, tagOf, valueOf, type Offer } from '../support/offers-app.js'
import { withoutPauses } from '../support/without-pauses.js'

const KEY = '/offers/1'
const OFFERS = { ifMatch: { key: '/offers/:id' } }
const WILDCARD = { 'if-match': '*' }

/** A storage in which somebody else writes just before each of the next writes. */
function contested (times: number) {
  const storage = memoryAdapter<Offer>()
  let price = 0
  const contested: StorageAdapter<Offer> = {
    ...storage,
    async write (key, value, expectation, options) {
      if (times-- > 0) await storage.write(key, { title: 'other', price: ++price }, ANY)
      return await storage.write(key, value, expectation, options)
    }
  }
  return { storage, contested }
}

await t.test('update under a tag is one compare-and-swap on the version that was read: a lost race is 412', async (t) => {
  const { storage, contested: adapter } = contested(1)
  let runs = 0
  const { app } = await offersApp(t, { storage: adapter }, (app) => {
    app.post('/act/:id', { config: OFFERS }, async (request) =>
      (await request.entity<Offer>().update((offer) => { runs++; return { ...offer, price: 1 } })).value)
  })
  const etag = await seed(storage)
  t.equal(await statusOf(app, 'POST /act/1', { 'if-match': etag }), 412)
  t.equal(runs, 1)
  t.equal((await storage.read(KEY))?.value.title, 'other')
})

await t.test('update under a list goes on if the version that it lost to is in the list, and ends if it is not', async (t) => {
  // A storage with known versions: it holds a, and somebody makes b of it just before the first write.
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
  t.equal(await statusOf(app, 'PATCH /offers/1', { 'if-match': '"a", "b"' }, { price: 3 }), 200)
  t.same(asked, [
    { kind: 'version', versions: ['a'] }, { title: 'a', price: 3 },
    { kind: 'version', versions: ['b'] }, { title: 'b', price: 3 }
  ])
  asked.length = 0
  t.equal(await statusOf(app, 'PATCH /offers/1', { 'if-match': '"a", "z"' }, { price: 3 }), 412)
})

await t.test('update under * tries again after a lost race, on the state that it lost to', async (t) => {
  const { storage, contested: adapter } = contested(3)
  const { app } = await offersApp(t, { storage: adapter })
  await seed(storage)
  const response = await send(app, 'PATCH /offers/1', WILDCARD, { title: 'mine' })
  t.equal(response.statusCode, 200)
  t.same(response.json(), { title: 'mine', price: 3 }, 'applied to the last of the three')
})

await t.test('update under * that loses again and again is 503 with Retry-After (FST_IF_MATCH_CONTENTION)', async (t) => {
  withoutPauses(t)
  const { storage, contested: adapter } = contested(Infinity)
  const { app } = await offersApp(t, { storage: adapter })
  await seed(storage)
  const response = await send(app, 'PATCH /offers/1', WILDCARD, { title: 'mine' })
  t.equal(response.statusCode, 503)
  t.equal(response.json().code, 'FST_IF_MATCH_CONTENTION')
  t.equal(response.headers['retry-after'], '1')
  t.equal((await storage.read(KEY))?.value.title, 'other')
})

await t.test('update under * of an entity that is removed meanwhile is 404', async (t) => {
  const memory = memoryAdapter()
  const storage: StorageAdapter = {
    ...memory,
    async write (key, value, expectation) {
      await memory.remove(key, EXISTS)
      return await memory.write(key, value, expectation)
    }
  }
  const { app } = await offersApp(t, { storage })
  await seed(memory)
  t.equal(await statusOf(app, 'PATCH /offers/1', WILDCARD), 404)
  t.equal(await valueOf(memory), undefined)
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

await t.test('If-None-Match with a tag on a write: read, compare and swap, and again', async (t) => {
  const { storage, contested: adapter } = contested(2)
  const { app } = await offersApp(t, { storage: adapter, missing: 'allow' })
  const etag = await seed(storage)
  const put = async (ifNoneMatch: string): Promise<number> =>
    await statusOf(app, 'PUT /offers/1', { 'if-none-match': ifNoneMatch })
  t.equal(await put('"x"'), 200)
  t.equal(await put(etag), 200, 'no longer the current one')
  t.equal(await put(`"x", W/${await tagOf(storage)}`), 412, 'weak comparison (RFC 9110 13.1.2)')
})

await t.test('update: the function may be async, and the error that it throws is the answer', async (t) => {
  const { app, storage } = await offersApp(t, {}, (app) => {
    app.post('/act/:id', { config: OFFERS }, async (request) => {
      const { value } = await request.entity<Offer>().update(async (offer) => {
        if (offer.price === 7) throw Object.assign(new Error('sold'), { statusCode: 409 })
        return await Promise.resolve({ ...offer, price: 7 })
      })
      return value
    })
  })
  await seed(storage)
  t.equal(await statusOf(app, 'POST /act/1', WILDCARD), 200)
  t.equal(await statusOf(app, 'POST /act/1', WILDCARD), 409)
})

await t.test('replace with a function: it is given the current value or undefined, and the precondition decides', async (t) => {
  const given: unknown[] = []
  const { app } = await offersApp(t, {}, (app) => {
    app.put('/act/:id', { config: { ifMatch: { key: '/offers/:id', create: 'wildcard' } } }, async (request, reply) => {
      const saved = await request.entity<Offer>().replace((current) => {
        given.push(current)
        return { title: 'n', price: (current?.price ?? 0) + 1 }
      })
      return await reply.code(saved.created ? 201 : 200).send(saved.value)
    })
  })
  const first = await send(app, 'PUT /act/1', WILDCARD)
  const tag = { 'if-match': first.headers.etag }
  t.same([first.statusCode, first.json()], [201, { title: 'n', price: 1 }])
  t.same((await send(app, 'PUT /act/1', tag)).json(), { title: 'n', price: 2 })
  t.equal(await statusOf(app, 'PUT /act/1', tag), 412)
  t.equal(await statusOf(app, 'PUT /act/1', { 'if-none-match': '*' }), 412)
  t.same(given, [undefined, { title: 'n', price: 1 }])
})

await t.test('create of the own entity is 412 where it exists, whatever the tag says', async (t) => {
  const { app, storage } = await offersApp(t, {}, (app) => {
    app.put('/new/:id', { config: { ifMatch: { key: '/offers/:id', create: 'wildcard' } } }, async (request, reply) =>
      await reply.code(201).send((await request.entity().create(request.body)).value))
  })
  t.equal(await statusOf(app, 'PUT /new/1', { 'if-match': '"x"' }), 412)
  t.equal(await statusOf(app, 'PUT /new/1', WILDCARD), 201)
  t.equal(await statusOf(app, 'PUT /new/1', WILDCARD), 412)
  t.equal(await statusOf(app, 'PUT /new/1', { 'if-none-match': '*' }), 412)
  t.equal(await statusOf(app, 'PUT /new/1', { 'if-match': await tagOf(storage) }), 412)
})

await t.test('a second write of the same request compares with the first, not with the tag that the client sent', async (t) => {
  const { app, storage } = await offersApp(t, {}, (app) => {
    app.put('/twice/:id', { config: OFFERS }, async (request) => {
      const entity = request.entity<Offer>()
      await entity.replace({ title: 'one' })
      if (request.headers['x-race'] !== undefined) await storage.write(KEY, { title: 'other' }, ANY)
      await entity.update((offer) => ({ ...offer, price: 2 }))
      return (await entity.read()).value
    })
    app.put('/again/:id', { config: OFFERS }, async (request) => {
      await request.entity<Offer>().remove()
      return await request.entity<Offer>().replace({ title: 'again' })
    })
  })
  const current = async () => ({ 'if-match': await tagOf(storage) })
  await seed(storage)
  const twice = await send(app, 'PUT /twice/1', await current())
  t.same([twice.statusCode, twice.json()], [200, { title: 'one', price: 2 }])
  t.equal(twice.headers.etag, await tagOf(storage))
  t.equal(await statusOf(app, 'PUT /twice/1', { ...await current(), 'x-race': '1' }), 412)
  t.equal(await statusOf(app, 'PUT /again/1', await current()), 200, 'absent since its own removal')
  t.same(await valueOf(storage), { title: 'again' })
  const wildcard = await statusOf(app, 'PUT /twice/1', { ...WILDCARD, 'x-race': '1' })
  t.equal(wildcard, 200, 'after a write under *, the next one compares nothing either')
  const created = await statusOf(app, 'PUT /twice/2', { 'if-none-match': '*' })
  t.equal(created, 200, 'after a creation, the next write compares with what it created')
  t.equal(await statusOf(app, 'PUT /again/1', await current()), 200)
})

await t.test('a call without its argument, or with another kind, is a mistake of the server, and says what to pass', async (t) => {
  const wrong: Record<string, [call: (entity: Entity<any>) => Promise<unknown>, advice: string]> = {
    value: [(entity) => entity.update({ n: 1 } as never), 'update() are wrong: pass it a function .* not an object'],
    text: [(entity) => entity.update('secret' as never), 'update() are wrong: .* not a string. .* to replace()'],
    nothing: [(entity) => entity.update(undefined as never), 'update() are wrong: pass it a function .* not undefined'],
    replace: [(entity) => (entity as any).replace(), 'replace() are wrong: pass it the new value, or a function'],
    create: [(entity) => (entity as any).create(), 'create() are wrong: pass it the value of the new entity'],
    swallowed: [async (entity) => { await entity.update(1 as never).catch(() => {}) }, 'update() are wrong']
  }
  const { app, storage } = await offersApp(t, {}, (app) => {
    for (const [name, [call]] of Object.entries(wrong)) {
      app.put(`/own/${name}/:id`, { config: OFFERS }, async (request) => await call(request.entity()))
      app.post(`/further/${name}`, async (request) => await call(request.entity('/offers/1')))
    }
  })
  await seed(storage)
  const tag = await tagOf(storage)
  for (const [name, [, advice]] of Object.entries(wrong)) {
    for (const request of [`PUT /own/${name}/1`, `POST /further/${name}`]) {
      if (name === 'swallowed' && request.startsWith('POST')) continue // a route that is not guarded answers for itself
      const response = await send(app, request, { 'if-match': '*' })
      t.match(response.json(), {
        statusCode: 500,
        code: 'FST_IF_MATCH_INVALID_OPTIONS',
        message: new RegExp(`request.entity().${advice}`.replace(/[()]/g, '\\$&'))
      }, request)
      t.notMatch(response.body, /secret/)
    }
  }
  t.equal(await tagOf(storage), tag)
})

await t.test('a PUT without a body is the client\'s fault still: the handler passed on what came', async (t) => {
  const { app } = await offersApp(t)
  const response = await app.inject({ method: 'PUT', url: '/offers/1', headers: { 'if-none-match': '*' } })
  t.same([response.statusCode, response.json().code], [422, 'FST_IF_MATCH_INVALID_VALUE'])
})

await t.test('update and replace give the function the version and the tag of the value that it is given', async (t) => {
  const given: unknown[] = []
  const { app, storage } = await offersApp(t, {}, (app) => {
    const options = { config: { ifMatch: { key: '/offers/:id', create: 'wildcard' } } } as const
    app.put('/act/:id', options, async (request) =>
      await request.entity<Offer>().replace((_current, found) => { given.push(found); return { title: 'n' } }))
    app.post('/act/:id', options, async (request) => {
      const entity = request.entity<Offer>()
      if (request.headers['x-first'] !== undefined) given.push({ ...await entity.replace({ title: 'first' }) })
      return await entity.update((offer, { version, etag }) => { given.push({ version, etag }); return offer })
    })
    app.post('/further', async (request) => {
      await request.entity<Offer>(KEY).update((offer, found) => { given.push(found); return offer })
      await request.entity<Offer>('/offers/2').replace((offer, found) => {
        given.push(offer, found)
        return { title: '' }
      })
    })
  })
  const found = (etag?: string) => ({ version: etag?.slice(1, -1), etag })
  await send(app, 'PUT /act/1', WILDCARD)
  const first = await tagOf(storage)
  await send(app, 'PUT /act/1', { 'if-match': first })
  const second = await tagOf(storage)
  await send(app, 'POST /act/1', WILDCARD)
  t.strictSame(given.splice(0), [undefined, found(first), found(second)])
  await send(app, 'POST /act/1', { ...WILDCARD, 'x-first': '1' })
  const [saved, seen] = given.splice(0) as [{ etag: string }, unknown]
  t.strictSame(seen, found(saved.etag), 'that of its own first write')
  const third = await tagOf(storage)
  await send(app, 'POST /further')
  t.strictSame(given, [found(third), undefined, undefined])
})

await t.test('after a lost race the function is given the tag of the version that it lost to', async (t) => {
  const { storage, contested: adapter } = contested(2)
  const given: Array<[unknown, string]> = []
  const { app } = await offersApp(t, { storage: adapter }, (app) => {
    app.post('/act/:id', { config: OFFERS }, async (request) =>
      await request.entity<Offer>().update(async (offer, { etag }) => {
        t.equal(etag, await tagOf(storage))
        given.push([offer.price, etag])
        return offer
      }))
  })
  await seed(storage)
  t.equal(await statusOf(app, 'POST /act/1', WILDCARD), 200)
  t.same(given.map(([price]) => price), [undefined, 1, 2])
  t.equal(new Set(given.map(([, etag]) => etag)).size, 3)
})

const NESTED = { code: 'FST_IF_MATCH_NESTED_WRITE', statusCode: 500 }
const OPERATIONS = ['create', 'replace', 'update', 'remove', 'unchanged'] as const

/** Begins a write of this kind. */
async function begin (entity: Entity<Offer>, operation: (typeof OPERATIONS)[number]): Promise<unknown> {
  if (operation === 'remove' || operation === 'unchanged') return await entity[operation]()
  return await (operation === 'update' ? entity.update((offer) => offer) : entity[operation]({ title: 'nested' }))
}

/** The handles by which the function of a write may reach the entity of that write. */
const HANDLES: Record<string, (entity: Entity<Offer>, request: FastifyRequest) => Entity<Offer>> = {
  'the same handle': (entity) => entity,
  'another handle': (entity, request) => request.entity<Offer>(entity.key),
  'a handle with a context': (entity, request) => request.entity<Offer>(entity.key, {})
}

for (const outer of ['update', 'replace'] as const) {
  await t.test(`a write inside the function of ${outer}() is refused, by whichever handle, and says what to do (FST_IF_MATCH_NESTED_WRITE)`, async (t) => {
    for (const key of [undefined, KEY, '/plans/1']) {
      for (const operation of OPERATIONS) {
        for (const [name, handle] of Object.entries(HANDLES)) {
          const { app, storage } = await offersApp(t, {}, (app) => {
            app.post('/act/:id', { config: OFFERS }, async (request) => {
              const entity = request.entity<Offer>(key)
              await request.entity().unchanged()
              return await entity[outer](async (offer?: Offer) => {
                await begin(handle(entity, request), operation)
                return offer!
              })
            })
          })
          await seed(storage)
          await storage.write('/plans/1', { title: 'plan' }, ANY)
          const response = await send(app, 'POST /act/1', WILDCARD)
          t.match(response.json(), NESTED, `${operation} by ${name} of ${key}`)
          t.match(response.json().message, new RegExp(`A ${operation} of .*Return the new value`))
          t.same(await valueOf(storage), { title: 'seeded' })
          t.same((await storage.read('/plans/1'))?.value, { title: 'plan' })
        }
      }
    }
  })
}

await t.test('a nested write that the function swallows or does not await refuses the outer one: none of the two gets lost, and nothing is unhandled', async (t) => {
  const unhandled: unknown[] = []
  const listener = (reason: unknown): void => { unhandled.push(reason) }
  process.on('unhandledRejection', listener)
  t.teardown(() => { process.off('unhandledRejection', listener) })
  const { app, storage } = await offersApp(t, {}, (app) => {
    const handler = async (request: FastifyRequest): Promise<unknown> => {
      const entity = request.entity<Offer>(KEY)
      return await entity.update(async (offer) => {
        if (request.headers['x-await'] === undefined) void entity.replace({ title: 'nested' })
        else await entity.replace({ title: 'nested' }).catch(() => {})
        return { ...offer, price: (offer.price ?? 0) + 1 }
      })
    }
    app.post('/act/:id', { config: OFFERS }, handler)
    app.post('/unguarded', handler)
  })
  await seed(storage)
  for (const route of ['/act/1', '/unguarded']) {
    for (const headers of [{}, { 'x-await': '1' }]) {
      t.match((await send(app, `POST ${route}`, { ...WILDCARD, ...headers })).json(), NESTED)
    }
  }
  t.same(await valueOf(storage), { title: 'seeded' })
  await new Promise((resolve) => { setImmediate(resolve) })
  t.same(unhandled, [])
})

await t.test('a function that sends an error in place of throwing it: the error is sent, and its write is refused', async (t) => {
  const { app, storage } = await offersApp(t, {}, (app) => {
    app.post('/act/:id', { config: OFFERS }, async (request, reply) =>
      await request.entity<Offer>().update(async () => await reply.code(409).send({ code: 'TAKEN' })))
    app.post('/slow/:id', { config: OFFERS }, async (request) => {
      const log = request.entity('/log/1').create({})
      void request.entity<Offer>().update(async (offer) => {
        await new Promise((resolve) => { setImmediate(resolve) })
        return { ...offer, price: 1 }
      })
      await Promise.all([log, new Promise((resolve) => { queueMicrotask(() => { resolve(undefined) }) })])
      throw Object.assign(new Error('no'), { statusCode: 403 })
    })
  })
  const etag = await seed(storage)
  for (const headers of [WILDCARD, { 'if-match': etag }]) {
    const sent = await send(app, 'POST /act/1', headers)
    t.same([sent.statusCode, sent.json()], [409, { code: 'TAKEN' }])
    t.equal(await statusOf(app, 'POST /slow/1', headers), 403)
    await storage.remove('/log/1', { kind: 'exists' })
  }
  t.equal(await tagOf(storage), etag, 'nothing was written')
})

await t.test('two updates that write across, A in B in A, end with an error, and do not wait for each other', async (t) => {
  const { app, storage } = await offersApp(t, {}, (app) => {
    app.post('/nested', async (request) => {
      const [a, b] = [request.entity<Offer>(KEY), request.entity<Offer>('/offers/2')]
      return await a.update(async () => (await b.update(async () => (await a.update((offer) => offer)).value)).value)
    })
    app.post('/across', async (request) => {
      const [a, b] = [request.entity<Offer>(KEY), request.entity<Offer>('/offers/2')]
      const ends = await Promise.allSettled([
        a.update(async () => (await b.update((offer) => offer)).value),
        b.update(async () => (await a.update((offer) => offer)).value)
      ])
      return ends.map((end) => end.status === 'fulfilled' ? 'done' : (end.reason as { code: string }).code)
    })
  })
  await seed(storage)
  await seed(storage, '2')
  t.match((await send(app, 'POST /nested')).json(), NESTED)
  t.ok((await send(app, 'POST /across')).json().includes(NESTED.code))
})

await t.test('the function may read its entity and write another one, and writes that were begun before it runs wait for it', async (t) => {
  const { app, storage } = await offersApp(t, {}, (app) => {
    app.post('/act/:id', { config: OFFERS }, async (request) => {
      const entity = request.entity<Offer>()
      const first = entity.update(async (offer) => {
        t.same((await request.entity<Offer>().read()).value, offer)
        await request.entity('/log/1').create({ a: 1 })
        return { ...offer, price: 1 }
      })
      const second = entity.update((offer) => ({ ...offer, price: offer.price! + 1 }))
      await Promise.all([first, second])
      await entity.update(() => { throw new Error('given up') }).catch(() => {})
      return (await entity.update((offer) => ({ ...offer, price: offer.price! + 1 }))).value
    })
  })
  const etag = await seed(storage)
  t.same((await send(app, 'POST /act/1', { 'if-match': etag })).json(), { title: 'seeded', price: 3 })
})
