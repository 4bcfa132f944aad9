import t from 'tap'
import type { Test } from 'tap'
import type { FastifyRequest } from 'fastify'
import type { ReadOptions, StorageAdapter } from 'fastify-if-match'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { offersApp, seed } from '../support/offers-app.js'

const KEY = '/offers/1'
const OTHER = '/plans/1'

/** Runs `act` in the handler of a route that is not guarded. */
async function acting (t: Test, act: (request: FastifyRequest) => Promise<unknown>) {
  const { app, storage } = await offersApp(t, {}, (app) => {
    app.post('/act', async (request, reply) => await reply.send(await act(request) ?? {}))
  })
  return { storage, run: async () => await app.inject({ method: 'POST', url: '/act' }) }
}

await t.test('create of a further entity expects none: 412 where there is one, and it does not blame If-Match (R57, R68)', async (t) => {
  const { run, storage } = await acting(t, async (request) => await request.entity(OTHER).create({ a: 1 }))
  const first = await run()
  t.match(first.json(), { value: { a: 1 }, created: true, etag: `"${(await storage.read(OTHER))?.version}"` })
  const second = await run()
  t.equal(second.statusCode, 412)
  t.equal(second.json().code, 'FST_IF_MATCH_PRECONDITION_FAILED')
  t.notMatch(second.json().message, /If-Match/)
})

await t.test('POST that creates under a key of the server needs no guard; the handler sets ETag and Location (R66)', async (t) => {
  const { app, storage } = await offersApp(t, {}, (app) => {
    app.post('/offers', async (request, reply) => {
      const { value, etag } = await request.entity('/offers/made-by-the-server').create(request.body)
      return await reply.code(201).headers({ etag, location: '/offers/made-by-the-server' }).send(value)
    })
  })
  const response = await app.inject({ method: 'POST', url: '/offers', payload: { title: 'new' } })
  t.equal(response.statusCode, 201)
  const read = await app.inject(response.headers.location as string)
  t.same([read.json(), read.headers.etag], [{ title: 'new' }, response.headers.etag])
  t.ok(await storage.read('/offers/made-by-the-server'))
})

await t.test('replace and remove without a read of this request are refused (FST_IF_MATCH_NOT_READ)', async (t) => {
  for (const act of ['replace', 'remove', 'unchanged'] as const) {
    const { run, storage } = await acting(t, async (request) => await request.entity(OTHER)[act]({ a: 2 }))
    await storage.write(OTHER, { a: 1 }, { kind: 'any' })
    const response = await run()
    t.equal(response.statusCode, 500)
    t.match(response.json(), { code: 'FST_IF_MATCH_NOT_READ', message: new RegExp(act) })
    t.same((await storage.read(OTHER))?.value, { a: 1 })
  }
})

await t.test('a handle compares with what was read through it, whatever another one of the request read since', async (t) => {
  const { run, storage } = await acting(t, async (request) => {
    const [first, second] = [request.entity<object>(OTHER), request.entity<object>(OTHER)]
    const { value } = await first.read()
    await storage.write(OTHER, { a: 'other' }, { kind: 'any' })
    await second.read()
    await first.replace({ ...value, edited: true })
  })
  await storage.write(OTHER, { a: 1 }, { kind: 'any' })
  t.equal((await run()).statusCode, 412)
  t.same((await storage.read(OTHER))?.value, { a: 'other' })
})

await t.test('replace and remove compare with what this request read, through whichever handle', async (t) => {
  for (const act of ['replace', 'remove', 'unchanged'] as const) {
    for (const raced of [false, true]) {
      const { run, storage } = await acting(t, async (request) => {
        await request.entity(OTHER).read()
        if (raced) await storage.write(OTHER, { a: 'other' }, { kind: 'any' })
        await request.entity(OTHER)[act]({ a: 2 })
      })
      await storage.write(OTHER, { a: 1 }, { kind: 'any' })
      const response = await run()
      t.equal(response.statusCode, raced ? 412 : 200, `${act}, ${raced ? 'raced' : 'alone'}`)
      const after = (await storage.read(OTHER))?.value
      t.same(after, raced ? { a: 'other' } : { replace: { a: 2 }, remove: undefined, unchanged: { a: 1 } }[act])
    }
  }
})

await t.test('where this request read that there is none, replace creates, and somebody else who creates wins', async (t) => {
  for (const raced of [false, true]) {
    const { run, storage } = await acting(t, async (request) => {
      await request.entity(OTHER).read().catch(() => {})
      if (raced) await storage.write(OTHER, { a: 'other' }, { kind: 'any' })
      await request.entity(OTHER).replace({ a: 2 })
    })
    t.equal((await run()).statusCode, raced ? 412 : 200)
    t.same((await storage.read(OTHER))?.value, { a: raced ? 'other' : 2 })
  }
  const { run } = await acting(t, async (request) => {
    await request.entity(OTHER).read().catch(() => {})
    await request.entity(OTHER).remove()
  })
  t.equal((await run()).statusCode, 404)
})

await t.test('a refusal is no read: a blind retry is refused again, and a failed create makes no overwrite', async (t) => {
  const { run, storage } = await acting(t, async (request) => {
    const entity = request.entity<{ a: number | string }>(OTHER)
    const { value } = await entity.read()
    await storage.write(OTHER, { a: 'other' }, { kind: 'any' })
    for (let attempt = 0; ; attempt++) {
      try {
        return await entity.replace({ a: Number(value.a) + 1 })
      } catch (error) {
        if (attempt === 3) throw error
      }
    }
  })
  await storage.write(OTHER, { a: 1 }, { kind: 'any' })
  t.equal((await run()).statusCode, 412)
  t.same((await storage.read(OTHER))?.value, { a: 'other' })

  const blind = await acting(
    t,
    async (request) =>
      await request
        .entity(OTHER)
        .create({})
        .catch(async () => {
          await request.entity(OTHER).remove()
        })
  )
  await blind.storage.write(OTHER, { a: 1 }, { kind: 'any' })
  t.equal((await blind.run()).json().code, 'FST_IF_MATCH_NOT_READ')
  t.ok(await blind.storage.read(OTHER))
})

await t.test('update of a further entity after a read tries again on what it lost to', async (t) => {
  const { run, storage } = await acting(t, async (request) => {
    const entity = request.entity<{ a: number }>(OTHER)
    await entity.read()
    await storage.write(OTHER, { a: 10 }, { kind: 'any' })
    return await entity.update(({ a }) => ({ a: a + 1 }))
  })
  await storage.write(OTHER, { a: 1 }, { kind: 'any' })
  t.same((await run()).json().value, { a: 11 })
})

await t.test('update of a further entity is read, compare and swap, and again; 404 where there is none', async (t) => {
  const { run, storage } = await acting(t, async (request) => {
    let isFirst = true
    return await request.entity<{ a: number }>(OTHER).update(async ({ a }) => {
      if (isFirst) await storage.write(OTHER, { a: 10 }, { kind: 'any' })
      isFirst = false
      return { a: a + 1 }
    })
  })
  t.equal((await run()).statusCode, 404)
  await storage.write(OTHER, { a: 1 }, { kind: 'any' })
  t.same((await run()).json().value, { a: 11 })
})

await t.test('replace with a function is no blind write: it sees what there is, or that there is none', async (t) => {
  const { run } = await acting(
    t,
    async (request) => await request.entity<{ n: number }>(OTHER).replace((current) => ({ n: (current?.n ?? 0) + 1 }))
  )
  t.match((await run()).json(), { value: { n: 1 }, created: true })
  t.match((await run()).json(), { value: { n: 2 }, created: false })
})

await t.test("the route's own key, spelled out, is the route's own entity: no key goes around the precondition", async (t) => {
  const { app, storage } = await offersApp(t, { precheck: false }, (app) => {
    app.put(
      '/spelled/:id',
      { config: { ifMatch: { key: '/offers/:id' } } },
      async (request) => (await request.entity('/offers/1').replace(request.body)).value
    )
  })
  await storage.write('/offers/1', { title: 'seeded' }, { kind: 'any' })
  const send = async (headers: Record<string, string>) =>
    (await app.inject({ method: 'PUT', url: '/spelled/1', headers, payload: { title: 'sent' } })).statusCode
  t.equal(await send({ 'if-match': '"stale"' }), 412)
  t.equal(await send({}), 400)
  t.equal(await send({ 'if-match': '*' }), 200)
})

await t.test('the own entity before our preHandler ran still asks for a strategy', async (t) => {
  const { app, storage } = await offersApp(t, {}, (app) => {
    app.put(
      '/early/:id',
      {
        config: { ifMatch: { key: '/offers/:id' } },
        preValidation: async (request) => {
          await request.entity().replace({ early: true })
        }
      },
      async () => ({})
    )
  })
  t.equal((await app.inject({ method: 'PUT', url: '/early/1', payload: {} })).json().code, 'FST_IF_MATCH_REQUIRED')
  t.equal(
    (await app.inject({ method: 'PUT', url: '/early/1', headers: { 'if-match': 'malformed' }, payload: {} })).json()
      .code,
    'FST_IF_MATCH_MALFORMED'
  )
  t.equal(await storage.read('/offers/1'), undefined)
})

await t.test('a transaction reads what it changes by itself, and neither waits for a read outside of it nor fails with that', async (t) => {
  for (const end of ['answers', 'fails', 'never ends'] as const) {
    const calls: string[] = []
    const memory = memoryAdapter()
    let settle!: () => void
    const settled = new Promise<void>((resolve, reject) => {
      settle =
        end === 'answers'
          ? resolve
          : () => {
              reject(new Error('the storage is away'))
            }
    })
    const storage: StorageAdapter = {
      ...memory,
      async read (key, options) {
        calls.push(`read ${options?.context === undefined ? 'outside' : 'inside'}`)
        if (options?.context === undefined) await settled
        return await memory.read(key, options)
      },
      async write (key, value, expectation, options) {
        calls.push(`write ${options?.context === undefined ? 'outside' : 'inside'}`)
        return await memory.write(key, value, expectation, options)
      }
    }
    const { app } = await offersApp(t, { storage }, (app) => {
      app.post('/transaction', async (request) => {
        const outside = request.entity(KEY).read().catch(() => {})
        if (end !== 'never ends') setImmediate(settle)
        const saved = await request
          .entity<object>(KEY, { client: 'in a transaction' })
          .update((offer) => ({ ...offer, changed: true }))
        if (end !== 'never ends') await outside
        return saved.value
      })
    })
    await seed(memory)
    const response = await app.inject({ method: 'POST', url: '/transaction' })
    t.strictSame([response.statusCode, response.json()], [200, { title: 'seeded', changed: true }], end)
    t.strictSame(calls, ['read outside', 'read inside', 'write inside'], end)
  }
})

await t.test('the context goes to the adapter as it is, with every call of that handle', async (t) => {
  const calls: Array<[string, unknown]> = []
  const storage = memoryAdapter()
  const spy = (name: string, options?: ReadOptions): void => { calls.push([name, options?.context]) }
  const { app } = await offersApp(
    t,
    {
      storage: {
        read: async (key, options) => {
          spy('read', options)
          return await storage.read(key, options)
        },
        write: async (key, value, expectation, options) => {
          spy('write', options)
          return await storage.write(key, value, expectation, options)
        },
        remove: async (key, expectation, options) => {
          spy('remove', options)
          return await storage.remove(key, expectation, options)
        }
      }
    },
    (app) => {
      app.post('/act/:id', { config: { ifMatch: { key: '/offers/:id' } } }, async (request) => {
        const context = { client: 'in a transaction' }
        await request.entity(undefined, context).update((offer) => offer)
        await request.entity(OTHER, context).create({})
        await request.entity(OTHER, context).remove()
        await request.entity().unchanged()
      })
    }
  )
  await storage.write('/offers/1', {}, { kind: 'any' })
  t.equal((await app.inject({ method: 'POST', url: '/act/1', headers: { 'if-match': '*' } })).statusCode, 200)
  const client = { client: 'in a transaction' }
  t.same(calls, [['read', client], ['write', client], ['write', client], ['remove', client], ['read', undefined]])
})

await t.test('keys that no engine is asked for are refused (FST_IF_MATCH_INVALID_KEY)', async (t) => {
  for (const key of ['', 'a\0b', '\ud800', 'x'.repeat(1025), 'é'.repeat(513)]) {
    const { run } = await acting(t, async (request) => await request.entity(key).create({}))
    const response = await run()
    t.equal(response.statusCode, 400)
    t.equal(response.json().code, 'FST_IF_MATCH_INVALID_KEY')
  }
})
