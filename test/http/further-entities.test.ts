import t from 'tap'
import type { Test } from 'tap'
import type { FastifyRequest } from 'fastify'
import { errorCodes, type ReadOptions, type StorageAdapter } from 'fastify-if-match'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { ANY } from '../support/expectations.js'
import { gatedMemory, offersApp, seed, send, statusOf } from '../support/offers-app.js'
import { withoutPauses } from '../support/without-pauses.js'

const KEY = '/offers/1'
const OTHER = '/plans/1'

/** Runs `act` in the handler of a route that is not guarded. */
async function acting (
  t: Test,
  act: (request: FastifyRequest) => Promise<unknown>,
  adapter: StorageAdapter = memoryAdapter()
) {
  const { app, storage } = await offersApp(t, { storage: adapter }, (app) => {
    app.post('/act', async (request, reply) => await reply.send(await act(request) ?? {}))
  })
  return {
    storage,
    put: async (value: unknown) => await storage.write(OTHER, value, ANY),
    stored: async () => (await storage.read(OTHER))?.value,
    run: async () => await send(app, 'POST /act')
  }
}

await t.test('create of a further entity expects it to be absent: otherwise 412, which does not blame If-Match', async (t) => {
  const { run, storage } = await acting(t, async (request) => await request.entity(OTHER).create({ a: 1 }))
  const first = await run()
  t.match(first.json(), { value: { a: 1 }, created: true, etag: `"${(await storage.read(OTHER))?.version}"` })
  const second = await run()
  t.equal(second.statusCode, 412)
  t.equal(second.json().code, 'FST_IF_MATCH_PRECONDITION_FAILED')
  t.notMatch(second.json().message, /If-Match/)
})

await t.test('a POST that creates under a key of the server needs no guard; the handler sets ETag and Location (RFC 9110 15.3.2)', async (t) => {
  const { app, storage } = await offersApp(t, {}, (app) => {
    app.post('/offers', async (request, reply) => {
      const { value, etag } = await request.entity('/offers/made-by-the-server').create(request.body)
      return await reply.code(201).headers({ etag, location: '/offers/made-by-the-server' }).send(value)
    })
  })
  const response = await send(app, 'POST /offers', {}, { title: 'new' })
  t.equal(response.statusCode, 201)
  const read = await app.inject(response.headers.location as string)
  t.same([read.json(), read.headers.etag], [{ title: 'new' }, response.headers.etag])
  t.ok(await storage.read('/offers/made-by-the-server'))
})

await t.test('replace, remove and unchanged without a read of this request are refused (FST_IF_MATCH_NOT_READ)', async (t) => {
  for (const act of ['replace', 'remove', 'unchanged'] as const) {
    const { run, put, stored } = await acting(t, async (request) => await request.entity(OTHER)[act]({ a: 2 }))
    await put({ a: 1 })
    const response = await run()
    t.equal(response.statusCode, 500)
    t.match(response.json(), { code: 'FST_IF_MATCH_NOT_READ', message: new RegExp(act) })
    t.same(await stored(), { a: 1 })
  }
})

await t.test('a handle compares with what was read through it, whatever another handle of the request read since', async (t) => {
  const { run, put, stored } = await acting(t, async (request) => {
    const [first, second] = [request.entity<object>(OTHER), request.entity<object>(OTHER)]
    const { value } = await first.read()
    await put({ a: 'other' })
    await second.read()
    await first.replace({ ...value, edited: true })
  })
  await put({ a: 1 })
  t.equal((await run()).statusCode, 412)
  t.same(await stored(), { a: 'other' })
})

await t.test('replace, remove and unchanged compare with what this request read, through whichever handle', async (t) => {
  for (const act of ['replace', 'remove', 'unchanged'] as const) {
    for (const raced of [false, true]) {
      const { run, put, stored } = await acting(t, async (request) => {
        await request.entity(OTHER).read()
        if (raced) await put({ a: 'other' })
        await request.entity(OTHER)[act]({ a: 2 })
      })
      await put({ a: 1 })
      const response = await run()
      t.equal(response.statusCode, raced ? 412 : 200, `${act}, ${raced ? 'raced' : 'alone'}`)
      const alone = { replace: { a: 2 }, remove: undefined, unchanged: { a: 1 } }[act]
      t.same(await stored(), raced ? { a: 'other' } : alone)
    }
  }
})

await t.test('if this request read that the entity is absent, replace creates it, unless another writer did meanwhile', async (t) => {
  for (const raced of [false, true]) {
    const { run, put, stored } = await acting(t, async (request) => {
      await request.entity(OTHER).read().catch(() => {})
      if (raced) await put({ a: 'other' })
      await request.entity(OTHER).replace({ a: 2 })
    })
    t.equal((await run()).statusCode, raced ? 412 : 200)
    t.same(await stored(), { a: raced ? 'other' : 2 })
  }
  const { run } = await acting(t, async (request) => {
    await request.entity(OTHER).read().catch(() => {})
    await request.entity(OTHER).remove()
  })
  t.equal((await run()).statusCode, 404)
})

await t.test('a refusal does not count as a read: a blind retry is refused again', async (t) => {
  const { run, put, stored } = await acting(t, async (request) => {
    const entity = request.entity<{ a: number | string }>(OTHER)
    const { value } = await entity.read()
    await put({ a: 'other' })
    for (let attempt = 0; ; attempt++) {
      try {
        return await entity.replace({ a: Number(value.a) + 1 })
      } catch (error) {
        if (attempt === 3) throw error
      }
    }
  })
  await put({ a: 1 })
  t.equal((await run()).statusCode, 412)
  t.same(await stored(), { a: 'other' })
})

await t.test('a create that was refused does not count as a read: a removal after it is refused', async (t) => {
  const { run, put, stored } = await acting(t, async (request) => {
    const entity = request.entity(OTHER)
    await entity.create({}).catch(async () => { await entity.remove() })
  })
  await put({ a: 1 })
  t.equal((await run()).json().code, 'FST_IF_MATCH_NOT_READ')
  t.ok(await stored())
})

await t.test('update of a further entity after a read tries again on the state that it lost to', async (t) => {
  const { run, put } = await acting(t, async (request) => {
    const entity = request.entity<{ a: number }>(OTHER)
    await entity.read()
    await put({ a: 10 })
    return await entity.update(({ a }) => ({ a: a + 1 }))
  })
  await put({ a: 1 })
  t.same((await run()).json().value, { a: 11 })
})

await t.test('update of a further entity reads, compares and swaps, and tries again; 404 if the entity is absent', async (t) => {
  const { run, put } = await acting(t, async (request) => {
    let isFirst = true
    return await request.entity<{ a: number }>(OTHER).update(async ({ a }) => {
      if (isFirst) await put({ a: 10 })
      isFirst = false
      return { a: a + 1 }
    })
  })
  t.equal((await run()).statusCode, 404)
  await put({ a: 1 })
  t.same((await run()).json().value, { a: 11 })
})

await t.test('replace with a function is no blind write: the function is given the current value, or undefined', async (t) => {
  const { run } = await acting(t, async (request) =>
    await request.entity<{ n: number }>(OTHER).replace((current) => ({ n: (current?.n ?? 0) + 1 })))
  t.match((await run()).json(), { value: { n: 1 }, created: true })
  t.match((await run()).json(), { value: { n: 2 }, created: false })
})

await t.test("the route's own key, spelled out, is the route's own entity: no key goes around the precondition", async (t) => {
  const { app, storage } = await offersApp(t, { precheck: false }, (app) => {
    app.put('/spelled/:id', { config: { ifMatch: { key: '/offers/:id' } } }, async (request) =>
      (await request.entity('/offers/1').replace(request.body)).value)
  })
  await seed(storage)
  t.equal(await statusOf(app, 'PUT /spelled/1', { 'if-match': '"stale"' }), 412)
  t.equal(await statusOf(app, 'PUT /spelled/1'), 400)
  t.equal(await statusOf(app, 'PUT /spelled/1', { 'if-match': '*' }), 200)
})

await t.test('the own entity needs a strategy even before our preHandler ran', async (t) => {
  const { app, storage } = await offersApp(t, {}, (app) => {
    app.put('/early/:id', {
      config: { ifMatch: { key: '/offers/:id' } },
      preValidation: async (request) => { await request.entity().replace({ early: true }) }
    }, async () => ({}))
  })
  t.equal((await send(app, 'PUT /early/1')).json().code, 'FST_IF_MATCH_REQUIRED')
  t.equal((await send(app, 'PUT /early/1', { 'if-match': 'malformed' })).json().code, 'FST_IF_MATCH_MALFORMED')
  t.equal(await storage.read('/offers/1'), undefined)
})

await t.test('an update inside a transaction reads inside it: a read outside neither delays it nor makes it fail', async (t) => {
  for (const end of ['answers', 'fails', 'never ends'] as const) {
    const calls: string[] = []
    const memory = memoryAdapter()
    let settle!: () => void
    const settled = new Promise<void>((resolve, reject) => {
      settle = end === 'answers' ? resolve : () => { reject(new Error('the storage is away')) }
    })
    const storage: StorageAdapter = {
      ...memory,
      async read (key, options) {
        calls.push(`read ${options?.context === undefined ? 'outside' : 'inside'}`)
        if (options?.context === undefined) await settled
        return await memory.read(key)
      },
      async write (key, value, expectation, options) {
        calls.push(`write ${options?.context === undefined ? 'outside' : 'inside'}`)
        return await memory.write(key, value, expectation)
      }
    }
    const { app } = await offersApp(t, { storage }, (app) => {
      app.post('/transaction', async (request) => {
        const outside = request.entity(KEY).read().catch(() => {})
        if (end !== 'never ends') setImmediate(settle)
        const inside = request.entity<object>(KEY, { client: 'in a transaction' })
        const saved = await inside.update((offer) => ({ ...offer, changed: true }))
        if (end !== 'never ends') await outside
        return saved.value
      })
    })
    await seed(memory)
    const response = await send(app, 'POST /transaction')
    t.strictSame([response.statusCode, response.json()], [200, { title: 'seeded', changed: true }], end)
    t.strictSame(calls, ['read outside', 'read inside', 'write inside'], end)
    settle() // the closing of the app waits for reads
  }
})

await t.test('the context goes to the adapter as it is, with every call of that handle', async (t) => {
  const calls: Array<[string, unknown]> = []
  const memory = memoryAdapter()
  const note = (operation: string, options?: ReadOptions): void => { calls.push([operation, options?.context]) }
  const storage: StorageAdapter = {
    read: async (key, options) => {
      note('read', options)
      return await memory.read(key)
    },
    write: async (key, value, expectation, options) => {
      note('write', options)
      return await memory.write(key, value, expectation)
    },
    remove: async (key, expectation, options) => {
      note('remove', options)
      return await memory.remove(key, expectation)
    }
  }
  const context = { client: 'in a transaction' }
  const { app } = await offersApp(t, { storage }, (app) => {
    app.post('/act/:id', { config: { ifMatch: { key: '/offers/:id' } } }, async (request) => {
      await request.entity(undefined, context).update((offer) => offer)
      await request.entity(OTHER, context).create({})
      await request.entity(OTHER, context).remove()
      await request.entity().unchanged()
    })
  })
  await seed(memory)
  t.equal(await statusOf(app, 'POST /act/1', { 'if-match': '*' }), 200)
  t.same(calls, [['read', context], ['write', context], ['write', context], ['remove', context], ['read', undefined]])
})

await t.test('a read of the own entity with a context asks the adapter, though it is known, and the tag is that of what it read', async (t) => {
  const calls: unknown[] = []
  const memory = memoryAdapter()
  const older = { value: { title: 'older' }, version: 'older' }
  const storage: StorageAdapter = {
    ...memory,
    read: async (key, options) => {
      calls.push(options?.context)
      return options?.context === undefined ? await memory.read(key) : { ...older }
    }
  }
  const { app } = await offersApp(t, { storage }, (app) => {
    const own = { config: { ifMatch: { key: '/offers/:id' } } }
    app.get('/transaction/:id', own, async (request) => {
      const inside = request.entity(undefined, 'snapshot')
      const [first, second] = [await inside.read(), await inside.read()]
      t.equal(first.value, second.value, 'one object')
      return first.value
    })
    app.get('/unchanged/:id', own, async (request) => (await request.entity(undefined, 'snapshot').unchanged()).value)
    app.get('/both/:id', own, async (request) => {
      const { value } = await request.entity().read()
      await request.entity(undefined, 'snapshot').read()
      return value
    })
    app.get('/bare/:id', { config: { ifMatch: { key: '/offers/:id', precheck: false } } }, async (request) =>
      (await request.entity(undefined, 'snapshot').read()).value)
  })
  const etag = await seed(memory)
  for (const [route, tag, wanted] of [
    ['/transaction/1', '"older"', [undefined, 'snapshot']],
    ['/unchanged/1', '"older"', [undefined, 'snapshot']],
    ['/both/1', etag, [undefined, 'snapshot']],
    ['/bare/1', '"older"', ['snapshot']]
  ] as const) {
    const response = await send(app, `GET ${route}`)
    t.same([response.statusCode, response.headers.etag], [200, tag], route)
    t.same(calls.splice(0), wanted, route)
  }
})

await t.test('a context that the storage cannot use is 500 for every operation, the message says so, and nothing is written', async (t) => {
  const context = { client: 'in a transaction' }
  const { app, storage } = await offersApp(t, {}, (app) => {
    const own = { config: { ifMatch: { key: '/offers/:id' } } }
    app.get('/other', async (request) => (await request.entity(OTHER, context).read()).value)
    app.get('/read/:id', own, async (request) => await request.entity(undefined, context).read())
    app.put('/replace/:id', own, async (request) => await request.entity(undefined, context).replace({}))
    app.put('/update/:id', own, async (request) => await request.entity(undefined, context).update(() => ({})))
    app.put('/unchanged/:id', own, async (request) => { await request.entity(undefined, context).unchanged() })
    app.delete('/remove/:id', own, async (request) => { await request.entity(undefined, context).remove() })
    app.post('/other', async (request) => await request.entity(OTHER, null).create({}))
  })
  await seed(storage)
  const before = await storage.read(KEY)
  const writes = ['PUT /replace/1', 'PUT /update/1', 'PUT /unchanged/1', 'DELETE /remove/1']
  for (const route of ['GET /read/1', 'GET /other', 'POST /other', ...writes]) {
    const response = await send(app, route, { 'if-match': '*' })
    t.equal(response.statusCode, 500, route)
    t.equal(response.json().code, 'FST_IF_MATCH_INVALID_OPTIONS', route)
    t.match(response.json().message, /"context".*Leave the context out/)
  }
  t.same(await storage.read(KEY), before)
  t.equal(await storage.read(OTHER), undefined)
})

await t.test('keys that no engine takes are refused (FST_IF_MATCH_INVALID_KEY)', async (t) => {
  for (const key of ['', 'a\0b', '\ud800', 'x'.repeat(1025), 'é'.repeat(513)]) {
    const { run } = await acting(t, async (request) => await request.entity(key).create({}))
    const response = await run()
    t.equal(response.statusCode, 400)
    t.equal(response.json().code, 'FST_IF_MATCH_INVALID_KEY')
  }
})

const APPLIED = /An earlier step of this request was applied and stays: read before you send anything again\.$/
const PERHAPS = /Another step of this request may have been applied: read before you send anything again\.$/
const RESEND = /[Ss]end .*again|new ETag/

const FAILED = 'FST_IF_MATCH_PRECONDITION_FAILED'

type Fail = (how: Error | 'contend' | undefined) => void

/** A storage that fails from the moment on that the test says so. */
function failing (): { storage: StorageAdapter, fail: Fail } {
  const memory = memoryAdapter()
  let failure: Error | 'contend' | undefined
  const storage: StorageAdapter = {
    ...memory,
    async read (key) {
      if (failure instanceof Error) throw failure
      return await memory.read(key)
    },
    async write (key, value, expectation) {
      if (failure instanceof Error) throw failure
      if (failure === 'contend') await memory.write(key, { other: true }, ANY)
      return await memory.write(key, value, expectation)
    }
  }
  return { storage, fail: (how) => { failure = how } }
}

/** The later steps of a request that fail, by what is answered. */
const LATER: Record<string, [number, string, (request: FastifyRequest, fail: Fail) => Promise<unknown>]> = {
  'a further create': [412, FAILED, async (request) => await request.entity(OTHER).create({})],
  'a further replace': [412, FAILED, async (request, fail) => {
    await request.entity(OTHER).read()
    fail('contend')
    await request.entity(OTHER).replace({})
  }],
  'a further update that loses each race': [503, 'FST_IF_MATCH_CONTENTION', async (request, fail) => {
    fail('contend')
    await request.entity(OTHER).update((value) => value)
  }],
  'a read': [503, 'FST_IF_MATCH_STORAGE_UNAVAILABLE', async (request, fail) => {
    fail(new errorCodes.FST_IF_MATCH_STORAGE_UNAVAILABLE())
    await request.entity(OTHER).read()
  }],
  'a write': [503, 'FST_IF_MATCH_STORAGE_UNAVAILABLE', async (request, fail) => {
    fail(new errorCodes.FST_IF_MATCH_STORAGE_UNAVAILABLE())
    await request.entity(OTHER).create({})
  }],
  'a write that an adapter gave up': [503, 'FST_IF_MATCH_CONTENTION', async (request, fail) => {
    fail(new errorCodes.FST_IF_MATCH_CONTENTION(16))
    await request.entity(OTHER).create({})
  }],
  'the own entity again': [412, FAILED, async (request, fail) => {
    fail('contend')
    await request.entity().replace({})
  }],
  'a create of the own entity': [412, FAILED, async (request) => await request.entity().create({})],
  'a read of what is absent': [404, 'FST_IF_MATCH_ENTITY_ABSENT', async (request) =>
    await request.entity('/no').read()],
  'an unchanged of what is absent': [404, 'FST_IF_MATCH_ENTITY_ABSENT', async (request) => {
    await request.entity('/no').read().catch(() => {})
    await request.entity('/no').unchanged()
  }],
  'an update of what is absent': [404, 'FST_IF_MATCH_ENTITY_ABSENT', async (request) =>
    await request.entity('/no').update((value) => value)],
  'a key that no engine takes': [400, 'FST_IF_MATCH_INVALID_KEY', async (request) => await request.entity('').read()],
  'a value that cannot be stored': [422, 'FST_IF_MATCH_INVALID_VALUE', async (request) =>
    await request.entity('/log/3').create({ a: Infinity })],
  'a constraint': [409, 'FST_IF_MATCH_CONSTRAINT', async (request, fail) => {
    fail(new errorCodes.FST_IF_MATCH_CONSTRAINT({ cause: Object.assign(new Error('taken'), { constraint: 'name' }) }))
    await request.entity('/log/3').create({})
  }]
}

await t.test('once a step was applied, no later one invites to send the request again: own, further and removed', async (t) => {
  withoutPauses(t)
  const steps: Record<string, (request: FastifyRequest) => Promise<unknown>> = {
    'own replaced': async (request) => await request.entity().replace({}),
    'further created': async (request) => await request.entity('/log/1').create({}),
    'further removed': async (request) => {
      await request.entity('/log/2').read()
      await request.entity('/log/2').remove()
    },
    nothing: async (request) => await request.entity().read()
  }
  for (const [first, step] of Object.entries(steps)) {
    for (const [second, [status, code, later]] of Object.entries(LATER)) {
      if (first === 'nothing' && second.includes('own entity')) continue
      const { storage, fail } = failing()
      const { app } = await offersApp(t, { storage }, (app) => {
        app.post('/steps/:id', { config: { ifMatch: { key: '/offers/:id' } } }, async (request) => {
          await step(request)
          await later(request, fail)
        })
      })
      const etag = await seed(storage)
      await storage.write(OTHER, {}, ANY)
      await storage.write('/log/2', {}, ANY)
      const response = await send(app, 'POST /steps/1', { 'if-match': etag })
      t.match(response.json(), { statusCode: status, code }, `${first}, ${second}`)
      const { message } = response.json()
      if (first === 'nothing') t.match(message, [400, 404, 409, 422].includes(status) ? /\w/ : RESEND, second)
      else t.match(message, APPLIED, `${first}, ${second}`)
      if (first !== 'nothing') t.notMatch(message.replace(APPLIED, ''), RESEND, `${first}, ${second}`)
    }
  }
})

await t.test('on a route without a guard, too, and where the outcome of a step is unknown or still open', async (t) => {
  const created = await acting(t, async (request) => {
    await request.entity('/log/1').create({})
    await request.entity(OTHER).create({})
  })
  await created.put({})
  t.match((await created.run()).json(), { statusCode: 412, message: APPLIED })

  const inTransaction = await acting(t, async (request) => {
    await request.entity('/log/1', { client: 'in a transaction' }).create({})
    await request.entity(OTHER).create({})
  }, {
    ...memoryAdapter(),
    write: async (key) => await Promise.resolve(key === OTHER
      ? { applied: false, current: { value: {}, version: 'a' } }
      : { applied: true, version: 'b', created: true })
  })
  t.match((await inTransaction.run()).json(), { statusCode: 412, message: PERHAPS }, 'the app may roll it back')

  const { storage, fail } = failing()
  const { app } = await offersApp(t, { storage }, (app) => {
    app.post('/unknown', async (request) => {
      fail(new errorCodes.FST_IF_MATCH_OUTCOME_UNKNOWN())
      await request.entity('/log/1').create({}).catch(() => {})
      fail(undefined)
      await request.entity(OTHER).create({})
    })
  })
  await storage.write(OTHER, {}, ANY)
  t.match((await send(app, 'POST /unknown')).json(), { statusCode: 412, message: PERHAPS })

  const { storage: gated, hold, open } = gatedMemory()
  const { app: open1 } = await offersApp(t, { storage: gated }, (app) => {
    app.post('/open/:id', { config: { ifMatch: { key: '/offers/:id' } } }, async (request) => {
      hold('write')
      void request.entity().replace({ title: 'mine' })
      hold('remove')
      setImmediate(open)
      await request.entity(OTHER).create({})
    })
  })
  await gated.write('/offers/1', { title: 'seeded' }, ANY)
  await gated.write(OTHER, {}, ANY)
  t.match((await send(open1, 'POST /open/1', { 'if-match': '*' })).json(), { statusCode: 412, message: PERHAPS })
})

await t.test('a step that was refused or did nothing is none: the next one may invite to send the request again', async (t) => {
  const { app, storage } = await offersApp(t, {}, (app) => {
    app.post('/steps/:id', { config: { ifMatch: { key: '/offers/:id' } } }, async (request) => {
      await request.entity().unchanged()
      await request.entity('/log/1').create({}).catch(() => {})
      await request.entity('/log/2').remove().catch(() => {})
      await request.entity(OTHER).create({})
    })
  })
  const etag = await seed(storage)
  await storage.write(OTHER, {}, ANY)
  await storage.write('/log/1', {}, ANY)
  t.match((await send(app, 'POST /steps/1', { 'if-match': etag })).json(), { statusCode: 412, message: RESEND })
})

await t.test('an error that was given other words has the one of the adapter as its cause', async (t) => {
  const { storage, fail } = failing()
  const away = new errorCodes.FST_IF_MATCH_STORAGE_UNAVAILABLE()
  const { app } = await offersApp(t, { storage }, (app) => {
    app.post('/steps', async (request) => {
      await request.entity('/log/1').create({})
      fail(away)
      for (const operation of [
        request.entity(OTHER).read(),
        request.entity(OTHER).create({}),
        request.entity(OTHER).update((value) => value)
      ]) {
        const error = await operation.catch((error: unknown) => error) as Error
        t.not(error, away)
        t.equal(error.cause, away)
      }
      const cause = Object.assign(new Error('taken'), { constraint: 'name' })
      fail(new errorCodes.FST_IF_MATCH_CONSTRAINT({ cause }))
      const refused = await request.entity('/log/2').create({}).catch((error: unknown) => error) as Error
      t.equal(refused.cause, cause, 'of a refusal the cause stays')
    })
  })
  t.equal(await statusOf(app, 'POST /steps'), 200)
  t.match(away.message, RESEND, 'that of the adapter is left as it was')
})
