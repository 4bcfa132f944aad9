import t, { type Test } from 'tap'
import type { FastifyReply, FastifyRequest, RouteHandlerMethod } from 'fastify'
import ifMatch, { errorCodes, type Current, type Entity, type TransactionAdapter } from 'fastify-if-match'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { barrier } from '../support/barrier.js'
import { newApp, send } from '../support/offers-app.js'
import { ordersApp, save, type Order, type Tx } from '../support/orders-app.js'

const OTHER: Order = { customer: 'Bea', lines: [{ sku: 'jug', quantity: 2 }, { sku: 'pot', quantity: 3 }] }
const GUARDED = { config: { ifMatch: true } }
const PAST = { 'if-match': '"0"' }

type Handler = (request: FastifyRequest<{ Params: { id: string } }>, reply: FastifyReply) => unknown

/** An app whose PUT and DELETE of an order have this handler. */
async function appWith (
  t: Test,
  handler: Handler,
  adapt?: (storage: TransactionAdapter<Order>) => TransactionAdapter<Order>,
  options: object = GUARDED
) {
  return await ordersApp(t, (app) => {
    app.route({ method: ['PUT', 'DELETE'], url: '/orders/:id', ...options, handler: handler as RouteHandlerMethod })
  }, adapt)
}

const saves = (value = OTHER): Handler => async (request, reply) => {
  const saved = await request.entity<Order>().transaction((tx: Tx) => {
    save(tx, request.params.id, value)
    return value
  })
  return reply.code(saved.created ? 201 : 200).send(saved.value)
}

await t.test('a transaction under the current tag changes all rows of the entity, and the answer has the tag of what is there then', async (t) => {
  const { app, order, tag } = await appWith(t, saves())
  const old = await tag()
  const answer = await send(app, 'PUT /orders/1', { 'if-match': old })
  t.match([answer.statusCode, answer.json()], [200, OTHER])
  t.not(answer.headers.etag, old)
  t.equal(answer.headers.etag, await tag())
  t.strictSame(order(), OTHER)
})

for (const precheck of [true, false]) {
  await t.test(`a stale tag is 412 and an absent entity 404 ahead of the work (precheck: ${precheck}; RFC 9110 13.2.1)`, async (t) => {
    let runs = 0
    const handler: Handler = async (request) => await request.entity().transaction(() => { runs++ })
    const { app, order, tag } = await appWith(t, handler, undefined, { config: { ifMatch: { precheck } } })
    const before = order()
    const answer = await send(app, 'PUT /orders/1', PAST)
    t.match([answer.statusCode, answer.headers.etag], [412, await tag()])
    t.equal((await send(app, 'DELETE /orders/2', { 'if-match': '*' })).statusCode, 404)
    t.equal(runs, 0)
    t.strictSame(order(), before)
  })
}

await t.test('a job that changes a child row alone moves the tag: the next PUT under the old one is 412', async (t) => {
  const { app, database, order, tag } = await appWith(t, saves())
  const old = await tag()
  database.prepare("INSERT INTO lines VALUES ('1', 'lid', 9)").run()
  t.equal((await send(app, 'PUT /orders/1', { 'if-match': old })).statusCode, 412)
  t.match(order()?.lines, [{ sku: 'cup' }, { sku: 'lid' }])
})

await t.test('a transaction creates under If-None-Match: *, and of two that race one does', async (t) => {
  const { app, order, tag } = await appWith(t, saves())
  const put = async () => await send(app, 'PUT /orders/2', { 'if-none-match': '*' })
  const answers = await Promise.all([put(), put()])
  t.strictSame(answers.map(({ statusCode }) => statusCode).sort(), [201, 412])
  t.equal(answers.find(({ statusCode }) => statusCode === 201)?.headers.etag, await tag('2'))
  t.strictSame(order('2'), OTHER)
})

await t.test('after a work that removed the entity there is no version, no tag in the answer, and a GET is 404', async (t) => {
  let committed: unknown
  const { app, tag } = await appWith(t, async (request, reply) => {
    const { value, ...left } = await request.entity().transaction((tx: Tx) => { tx.exec('DELETE FROM orders') })
    committed = left
    return reply.code(204).send()
  })
  const answer = await send(app, 'DELETE /orders/1', { 'if-match': await tag() })
  t.match([answer.statusCode, answer.headers.etag], [204, undefined])
  t.strictSame(committed, { version: undefined, etag: undefined, created: false })
  t.equal((await send(app, 'GET /orders/1')).statusCode, 404)
})

await t.test('a work after which the version is what it was is rolled back, and 500 VERSION_UNCHANGED', async (t) => {
  const { app, database, order, tag } = await appWith(t, async (request) =>
    await request.entity().transaction((tx: Tx) => { tx.exec('UPDATE lines SET quantity = 99') }))
  const old = await tag()
  const answer = await send(app, 'PUT /orders/1', { 'if-match': old })
  t.match([answer.statusCode, answer.json().code], [500, 'FST_IF_MATCH_VERSION_UNCHANGED'])
  t.equal(order()?.lines[0]?.quantity, 1)
  t.equal(await tag(), old)
  const nothing = await send(app, 'PUT /orders/2', { 'if-none-match': '*' })
  t.equal(nothing.json().code, 'FST_IF_MATCH_VERSION_UNCHANGED', 'nothing was created')
  database.exec('BEGIN; ROLLBACK') // nothing was left open
})

const failures: Record<string, [error: unknown, status: number, message: RegExp]> = {
  'a 409 of the app': [Object.assign(new Error('it was shipped'), { statusCode: 409 }), 409, /shipped/],
  'an error of the app': [new Error('the card was declined'), 500, /declined/],
  'a bug': [new TypeError('x is not a function'), 500, /not a function/],
  'no error at all': ['text', 500, /a string/]
}
for (const [name, [error, status, message]] of Object.entries(failures)) {
  await t.test(`what the work throws is the answer, and everything is rolled back: ${name}`, async (t) => {
    const { app, order, tag } = await appWith(t, async (request) => await request.entity().transaction((tx: Tx) => {
      save(tx, '1', OTHER)
      throw error
    }))
    const old = await tag()
    const answer = await send(app, 'PUT /orders/1', { 'if-match': old })
    t.match([answer.statusCode, answer.json().message, answer.headers['retry-after']], [status, message, undefined])
    t.equal(order()?.customer, 'Ada')
    t.equal(await tag(), old)
  })
}

await t.test('a constraint of other rows is 409 and changes nothing', async (t) => {
  const { app, order, tag } = await appWith(t, saves({ customer: 'Bea', lines: [{ sku: 'cup', quantity: 1 }] }))
  const answer = await send(app, 'PUT /orders/2', { 'if-none-match': '*' })
  t.match([answer.statusCode, answer.json().code], [409, 'FST_IF_MATCH_CONSTRAINT'])
  t.equal(order('2'), undefined)
  t.ok(await tag())
})

await t.test('a client that is gone before the commit leaves nothing behind', async (t) => {
  const left = barrier<unknown>()
  const { app, order, tag } = await appWith(t, async (request, reply) => {
    const write = request.entity().transaction((tx: Tx) => {
      save(tx, '1', OTHER)
      reply.raw.destroy()
    })
    write.catch(left.open)
    return await write
  })
  const etag = await tag()
  void send(app, 'PUT /orders/1', { 'if-match': etag }).catch(() => {})
  t.match(await left.opened, { code: 'FST_IF_MATCH_LATE_WRITE' })
  t.equal(order()?.customer, 'Ada')
})

await t.test('the work is given the version and the tag, and reads the entity inside the transaction, its own changes included', async (t) => {
  const seen: unknown[] = []
  const { app, tag } = await appWith(t, async (request) => {
    const { id } = request.params
    await request.entity<Order>().transaction(async (tx: Tx, current: Current<Order>) => {
      seen.push(current.version, current.etag, await current.value().catch((error: { code: string }) => error.code))
      save(tx, id, OTHER)
      seen.push(await current.value(), (await request.entity<Order>().read()).value)
    })
    return 'done'
  })
  const old = await tag()
  const answer = await send(app, 'PUT /orders/1', { 'if-match': old })
  t.equal(answer.headers.etag, await tag(), 'the tag is not that of a read inside the work')
  const before = { customer: 'Ada', lines: [{ sku: 'cup', quantity: 1 }] }
  t.strictSame(seen.splice(0), [old.slice(1, -1), old, before, OTHER, OTHER])
  t.equal((await send(app, 'PUT /orders/2', { 'if-none-match': '*' })).statusCode, 409, 'a unique key of the lines')
  t.strictSame(seen.slice(0, 3), [undefined, undefined, 'FST_IF_MATCH_ENTITY_ABSENT'])
})

await t.test('further entities are committed or rolled back with the transaction, awaited or not', async (t) => {
  for (const isAwaited of [true, false]) {
    for (const fails of [false, true]) {
      let further: Entity<Order>
      const { app, order, tag } = await appWith(t, async (request) => {
        further = request.entity<Order>('/orders/2')
        await request.entity<Order>().transaction(async (tx: Tx) => {
          tx.exec("UPDATE orders SET customer = 'Bea' WHERE id = '1'")
          const created = further.create({ customer: 'Cyd', lines: [] })
          if (isAwaited) await created
          if (fails) throw Object.assign(new Error('no'), { statusCode: 409 })
        })
        return 'done'
      })
      const answer = await send(app, 'PUT /orders/1', { 'if-match': await tag() })
      t.equal(answer.statusCode, fails ? 409 : 200)
      t.strictSame([order()?.customer, order('2')?.customer], fails ? ['Ada', undefined] : ['Bea', 'Cyd'])
    }
  }
})

await t.test('a further entity that another one changed since it was read refuses the whole; a work that catches the refusal goes on', async (t) => {
  let catches = false
  const { app, database, order, tag } = await appWith(t, async (request) => {
    const further = request.entity<Order>('/orders/2')
    await further.read()
    database.exec("UPDATE orders SET customer = 'Eve' WHERE id = '2'")
    await request.entity<Order>().transaction(async (tx: Tx) => {
      tx.exec("UPDATE orders SET customer = 'Bea' WHERE id = '1'")
      await further.replace({ customer: 'Cyd', lines: [] }).catch((error: unknown) => { if (!catches) throw error })
    })
    return 'done'
  })
  save(database, '2', { customer: 'Dan', lines: [] })
  t.equal((await send(app, 'PUT /orders/1', { 'if-match': await tag() })).statusCode, 412)
  t.equal(order()?.customer, 'Ada')
  catches = true
  t.equal((await send(app, 'PUT /orders/1', { 'if-match': await tag() })).statusCode, 200)
  t.strictSame([order()?.customer, order('2')?.customer], ['Bea', 'Eve'])
})

await t.test('a further write that failed in part fails the whole, also if the work catches its error', async (t) => {
  const { app, order, tag } = await appWith(t, async (request) => {
    await request.entity<Order>().transaction(async (tx: Tx) => {
      tx.exec("UPDATE orders SET customer = 'Bea' WHERE id = '1'")
      // Its row is stored by then, and its line has a key that is taken.
      const lines = [{ sku: 'cup', quantity: 1 }]
      await request.entity<Order>('/orders/2').create({ customer: 'Cyd', lines }).catch(() => {})
    })
    return 'done'
  })
  t.match((await send(app, 'PUT /orders/1', { 'if-match': await tag() })).json(), { code: 'FST_IF_MATCH_CONSTRAINT' })
  t.strictSame([order()?.customer, order('2')], ['Ada', undefined])
})

await t.test('a transaction of a further entity inside the work is part of it, and demands a new version, too', async (t) => {
  let moves = true
  const { app, database, order, tag } = await appWith(t, async (request) => {
    await request.entity<Order>().transaction(async (tx: Tx) => {
      tx.exec("UPDATE orders SET customer = 'Bea' WHERE id = '1'")
      await request.entity<Order>('/orders/2').transaction(async (inner: Tx, current) => {
        t.equal(inner, tx)
        t.match(await current.value(), { customer: 'Dan' })
        if (moves) inner.exec("UPDATE orders SET customer = 'Cyd' WHERE id = '2'")
      }).catch((error: unknown) => { if (moves) throw error })
    })
    return 'done'
  })
  save(database, '2', { customer: 'Dan', lines: [] })
  moves = false
  const answer = await send(app, 'PUT /orders/1', { 'if-match': await tag() })
  t.match(answer.json(), { code: 'FST_IF_MATCH_VERSION_UNCHANGED' })
  t.strictSame([order()?.customer, order('2')?.customer], ['Ada', 'Dan'])
  moves = true
  t.equal((await send(app, 'PUT /orders/1', { 'if-match': await tag() })).statusCode, 200)
  t.strictSame([order()?.customer, order('2')?.customer], ['Bea', 'Cyd'])
})

await t.test('a work that runs again starts from what the request knew before: what was rolled back is forgotten', async (t) => {
  let runs = 0
  const { app, database, order, tag } = await appWith(t, async (request) => {
    const further = request.entity<Order>('/orders/2')
    await further.read()
    await request.entity<Order>().transaction(async (tx: Tx) => {
      tx.exec("UPDATE orders SET customer = 'Bea' WHERE id = '1'")
      await further.replace({ customer: 'Cyd', lines: [] })
      await further.replace({ customer: 'Cyd, again', lines: [] })
      if (++runs < 3) throw new errorCodes.FST_IF_MATCH_CONTENTION(1)
    })
    await further.update((value) => ({ ...value, customer: `${value.customer}, once` }))
    return 'done'
  })
  save(database, '2', { customer: 'Dan', lines: [] })
  const answer = await send(app, 'PUT /orders/1', { 'if-match': await tag() })
  t.equal(answer.statusCode, 200, answer.body)
  t.equal(runs, 3)
  t.strictSame([order()?.customer, order('2')?.customer], ['Bea', 'Cyd, again, once'])
})

await t.test('conflicts each time are 503 CONTENTION with Retry-After: nothing was applied, also of further entities', async (t) => {
  let runs = 0
  const { app, order, tag } = await appWith(t, async (request) => await request.entity().transaction(async (tx: Tx) => {
    runs++
    save(tx, '1', OTHER)
    await request.entity<Order>('/orders/2').create({ customer: 'Cyd', lines: [] })
    throw new errorCodes.FST_IF_MATCH_CONTENTION(1)
  }))
  const answer = await send(app, 'PUT /orders/1', { 'if-match': await tag() })
  t.match([answer.statusCode, answer.json().code, answer.headers['retry-after']], [503, 'FST_IF_MATCH_CONTENTION', '1'])
  t.match(answer.json().message, /16 attempts/)
  t.equal(runs, 16)
  t.strictSame([order()?.customer, order('2')], ['Ada', undefined])
})

await t.test('after the commit, an error of a later step does not invite to send the request again', async (t) => {
  const { app, tag } = await appWith(t, async (request) => {
    await request.entity().transaction(async (tx: Tx) => {
      save(tx, '1', OTHER)
      await request.entity<Order>('/orders/2').create({ customer: 'Cyd', lines: [] })
    })
    throw new errorCodes.FST_IF_MATCH_STORAGE_UNAVAILABLE()
  })
  t.equal((await send(app, 'PUT /orders/1', { 'if-match': await tag() })).headers['retry-after'], undefined)
})

await t.test('the client of the transaction as the context is the same transaction; a context that is none is refused inside, too', async (t) => {
  let fails = true
  const { app, order, tag } = await appWith(t, async (request) => {
    await request.entity<Order>().transaction(async (tx: Tx) => {
      tx.exec("UPDATE orders SET customer = 'Bea' WHERE id = '1'")
      await request.entity<Order>('/orders/2', { client: tx }).create({ customer: 'Cyd', lines: [] })
      const outside = request.entity<Order>('/orders/3', null)
      await t.rejects(outside.read(), { code: 'FST_IF_MATCH_INVALID_OPTIONS' })
      if (fails) throw new errorCodes.FST_IF_MATCH_STORAGE_UNAVAILABLE()
    })
    return 'done'
  })
  const failed = await send(app, 'PUT /orders/1', { 'if-match': await tag() })
  t.match([failed.statusCode, failed.headers['retry-after']], [503, '1'], 'nothing was applied')
  t.strictSame([order()?.customer, order('2')], ['Ada', undefined])
  fails = false
  t.equal((await send(app, 'PUT /orders/1', { 'if-match': await tag() })).statusCode, 200)
  t.strictSame([order()?.customer, order('2')?.customer], ['Bea', 'Cyd'])
})

await t.test('a write to the same entity inside the work is refused with NESTED_WRITE, and the whole with it', async (t) => {
  const { app, order, tag } = await appWith(t, async (request) => {
    const own = request.entity<Order>()
    await own.transaction(async (tx: Tx) => {
      save(tx, '1', OTHER)
      await request.entity<Order>().replace(OTHER).catch(() => {})
    })
  })
  const answer = await send(app, 'PUT /orders/1', { 'if-match': await tag() })
  t.match(answer.json(), { code: 'FST_IF_MATCH_NESTED_WRITE' })
  t.equal(order()?.customer, 'Ada')
})

await t.test('an update that began ahead of the work is no part of the transaction: it stays when that one is rolled back', async (t) => {
  const { app, database, order, tag } = await appWith(t, async (request) => {
    const [begun, made] = [barrier(), barrier()]
    const update = request.entity<Order>('/orders/2').update(async (value) => {
      begun.open()
      await made.opened
      return { ...value, customer: 'Cyd' }
    })
    await begun.opened
    await request.entity<Order>().transaction(async (tx: Tx) => {
      save(tx, '1', OTHER)
      made.open()
      for (let turn = 0; turn < 20; turn++) await null
      throw Object.assign(new Error('no'), { statusCode: 409 })
    }).catch(() => {})
    await update
    await request.entity<Order>().replace({ customer: 'Ada, again', lines: [] })
    return 'done'
  })
  save(database, '2', { customer: 'Dan', lines: [] })
  t.equal((await send(app, 'PUT /orders/1', { 'if-match': await tag() })).statusCode, 200)
  t.strictSame([order()?.customer, order('2')?.customer], ['Ada, again', 'Cyd'])
})

await t.test('the work of a further entity writes that of the route: what was rolled back is forgotten, and If-Match decides again', async (t) => {
  // With a counter, the version of another writer may be the one that was rolled back.
  for (const meets of [false, true]) {
    let runs = 0
    const { app, database, order, tag } = await appWith(t, async (request) => {
      await request.entity<Order>('/orders/2').transaction(async (tx: Tx) => {
        if (++runs === 2 && meets) tx.exec("UPDATE orders SET customer = 'of another' WHERE id = '1'")
        tx.exec("UPDATE orders SET customer = 'Bea' WHERE id = '2'")
        await request.entity<Order>().replace({ customer: 'Cyd', lines: [] })
        if (runs === 1) throw new errorCodes.FST_IF_MATCH_CONTENTION(1)
      })
      return 'done'
    })
    database.exec("DELETE FROM lines; INSERT INTO orders (id, customer) VALUES ('2', 'Dan')")
    const answer = await send(app, 'PUT /orders/1', { 'if-match': await tag() })
    t.equal(answer.statusCode, meets ? 412 : 200)
    t.equal(answer.headers.etag, meets ? undefined : await tag(), 'no tag of what was rolled back')
    t.equal(order()?.customer, meets ? 'Ada' : 'Cyd')
    t.equal(runs, 2)
  }
})

await t.test('a refusal of the route\'s entity that the work of a further one caught is the answer, and says what was applied', async (t) => {
  const { app, database, order } = await appWith(t, async (request) => {
    await request.entity<Order>('/orders/2').transaction(async (tx: Tx) => {
      tx.exec("UPDATE orders SET customer = 'Bea' WHERE id = '2'")
      await request.entity<Order>().replace(OTHER).catch(() => {})
    })
    return 'done'
  }, undefined, { config: { ifMatch: { precheck: false } } })
  database.exec("INSERT INTO orders (id, customer) VALUES ('2', 'Dan')")
  const answer = await send(app, 'PUT /orders/1', PAST)
  t.match([answer.statusCode, answer.json().message], [412, /An earlier step of this request was applied/])
  t.strictSame([order()?.customer, order('2')?.customer], ['Ada', 'Bea'])
})

await t.test('a transaction inside the work that a refusal of something else ends half-way fails the whole, also if the work catches that', async (t) => {
  const { app, database, order, tag } = await appWith(t, async (request) => {
    await request.entity<Order>().transaction(async (tx: Tx) => {
      tx.exec("UPDATE orders SET customer = 'Bea' WHERE id = '1'")
      await request.entity<Order>('/orders/2').transaction(async (inner: Tx) => {
        inner.exec("UPDATE orders SET customer = 'half' WHERE id = '2'")
        await request.entity<Order>('/orders/3').update((value) => value)
      }).catch(() => {})
    })
    return 'done'
  })
  database.exec("INSERT INTO orders (id, customer) VALUES ('2', 'Dan')")
  t.equal((await send(app, 'PUT /orders/1', { 'if-match': await tag() })).statusCode, 404)
  t.strictSame([order()?.customer, order('2')?.customer], ['Ada', 'Dan'])
})

await t.test('an error of an operation inside the work does not say that another step may have been applied: all are one', async (t) => {
  const operations: Record<string, (entity: Entity<Order>) => Promise<unknown>> = {
    FST_IF_MATCH_ENTITY_ABSENT: async (entity) => await entity.read(),
    FST_IF_MATCH_PRECONDITION_FAILED: async (entity) => await createTwice(entity),
    FST_IF_MATCH_STORAGE_UNAVAILABLE: async (entity) => await entity.create({ customer: 'down', lines: [] }),
    FST_IF_MATCH_CONSTRAINT: async (entity) =>
      await entity.create({ customer: 'Cyd', lines: [{ sku: 'cup', quantity: 1 }] })
  }
  async function createTwice (entity: Entity<Order>): Promise<unknown> {
    await entity.create({ customer: 'Cyd', lines: [] })
    return await entity.create({ customer: 'Cyd', lines: [] })
  }
  for (const [code, operation] of Object.entries(operations)) {
    const { app, order, tag } = await appWith(t, async (request) => {
      await request.entity<Order>().transaction(async (tx: Tx) => {
        tx.exec("UPDATE orders SET customer = 'Bea' WHERE id = '1'")
        await operation(request.entity<Order>('/orders/2'))
      })
      return 'done'
    }, (storage) => ({
      ...storage,
      async write (...args: Parameters<typeof storage.write>) {
        if (args[1].customer === 'down') throw new errorCodes.FST_IF_MATCH_STORAGE_UNAVAILABLE()
        return await storage.write(...args)
      }
    } as TransactionAdapter<Order>))
    const answer = (await send(app, 'PUT /orders/1', { 'if-match': await tag() })).json()
    t.equal(answer.code, code)
    t.notMatch(answer.message, /another step/i)
    t.equal(order()?.customer, 'Ada')
  }
})

await t.test('each transaction of a further entity reads that of the route anew: another one may have changed it in between', async (t) => {
  const seen: string[] = []
  const { app, database } = await appWith(t, async (request) => {
    const work = async (tx: Tx): Promise<void> => {
      seen.push((await request.entity<Order>().read()).value.customer)
      seen.push((await request.entity<Order>().read()).value.customer)
      save(tx, '2', { customer: `Cyd ${seen.length}`, lines: [] })
    }
    await request.entity('/orders/2').transaction(work)
    database.exec("UPDATE orders SET customer = 'Eve' WHERE id = '1'")
    await request.entity('/orders/2').transaction(work)
    await request.entity().unchanged()
  })
  const answer = await send(app, 'PUT /orders/1', { 'if-match': '*' })
  t.equal(answer.statusCode, 200, answer.body)
  t.strictSame(seen, ['Ada', 'Ada', 'Eve', 'Eve'])
})

await t.test('a comparison inside the transaction that a hook began reads no value, and the work is given one', async (t) => {
  const [begun, compared] = [barrier(), barrier()]
  const reads: unknown[] = []
  let seen: string | undefined
  let work: Promise<unknown> | undefined
  const { app, tag } = await appWith(t, async (request) => {
    compared.open()
    await work
    await request.entity().unchanged()
  }, (storage) => ({
    ...storage,
    async read (key, options) {
      reads.push(options?.unless)
      return await storage.read(key, options)
    }
  }), {
    config: { ifMatch: true },
    async preHandler (request: FastifyRequest) {
      work = request.entity('/orders/2').transaction(async (tx: Tx) => {
        begun.open()
        await compared.opened
        seen = (await request.entity<Order>().read()).value.customer
        save(tx, '2', { customer: 'Cyd', lines: [] })
      })
      await begun.opened
    }
  })
  const current = await tag()
  reads.length = 0
  t.equal((await send(app, 'PUT /orders/1', { 'if-match': current })).statusCode, 200)
  t.equal(seen, 'Ada')
  t.equal(reads[0], '*')
})

await t.test('a read that the work did not await ends ahead of the rollback, which forgets it', async (t) => {
  let read: Promise<unknown> | undefined
  const slow = barrier()
  const { app, database, order, tag } = await appWith(t, async (request) => {
    const further = request.entity<Order>('/orders/2')
    await request.entity<Order>().transaction(async (tx: Tx) => {
      tx.exec("UPDATE orders SET customer = 'not committed' WHERE id = '2'")
      read = request.entity<Order>('/orders/2').read()
      setImmediate(slow.open)
      throw Object.assign(new Error('no'), { statusCode: 409 })
    }).catch(() => {})
    await read
    // It has the version by now that was rolled back.
    database.exec("UPDATE orders SET customer = 'Eve' WHERE id = '2'")
    await further.update((value) => ({ ...value, customer: `${value.customer}, updated` }))
    await request.entity<Order>().replace(OTHER)
    return 'done'
  }, (storage) => ({
    ...storage,
    async read (...args: Parameters<typeof storage.read>) {
      const stored = await storage.read(...args)
      if (args[1]?.context !== undefined) await slow.opened
      return stored
    }
  } as TransactionAdapter<Order>))
  database.exec("INSERT INTO orders (id, customer) VALUES ('2', 'Dan')")
  t.equal((await send(app, 'PUT /orders/1', { 'if-match': await tag() })).statusCode, 200)
  t.equal(order('2')?.customer, 'Eve, updated')
})

await t.test('one transaction of a request is under way at a time: a second one beside it is an error', async (t) => {
  const { app, order, tag } = await appWith(t, async (request) => {
    const first = request.entity<Order>().transaction((tx: Tx) => { save(tx, '1', OTHER) })
    const second = request.entity<Order>('/orders/2').transaction((tx: Tx) => { save(tx, '2', OTHER) })
    await t.rejects(second, { code: 'FST_IF_MATCH_INVALID_OPTIONS', message: /await the other transaction/ })
    await first
    return 'done'
  })
  t.equal((await send(app, 'PUT /orders/1', { 'if-match': await tag() })).statusCode, 200)
  t.strictSame([order()?.customer, order('2')], ['Bea', undefined])
})

await t.test('a handler that swallows why its transaction failed gets no success through', async (t) => {
  const { app, tag } = await appWith(t, async (request) => {
    const refused = Object.assign(new Error('no'), { statusCode: 409 })
    await request.entity().transaction(() => { throw refused }).catch(() => {})
    return 'done'
  })
  t.equal((await send(app, 'PUT /orders/1', { 'if-match': await tag() })).statusCode, 409)
})

await t.test('a lost answer to COMMIT is 503 OUTCOME_UNKNOWN without Retry-After', async (t) => {
  const { app, order, tag } = await appWith(t, saves(), (storage) => ({
    ...storage,
    async transaction (...args: Parameters<typeof storage.transaction>) {
      await storage.transaction(...args)
      throw new Error('the connection is lost')
    }
  } as TransactionAdapter<Order>))
  const answer = await send(app, 'PUT /orders/1', { 'if-match': await tag() })
  t.match([answer.statusCode, answer.json().code], [503, 'FST_IF_MATCH_OUTCOME_UNKNOWN'])
  t.equal(answer.headers['retry-after'], undefined)
  t.strictSame(order(), OTHER)
})

await t.test('what was read of a further entity decides about its transaction; without a read, the work is given what it locked', async (t) => {
  const { app, database, order } = await ordersApp(t, (app) => {
    app.post('/renamed/:reads', async (request) => {
      const { reads } = request.params as { reads: string }
      const entity = request.entity<Order>('/orders/1')
      if (reads === 'yes') await entity.read()
      database.exec("UPDATE orders SET customer = 'Eve'")
      const { value } = await entity.transaction(async (tx: Tx, current) => {
        const { customer } = await current.value()
        tx.prepare('UPDATE orders SET customer = ?').run(`${customer}, renamed`)
      })
      return value ?? 'done'
    })
  })
  t.equal((await send(app, 'POST /renamed/yes')).statusCode, 412)
  t.equal((await send(app, 'POST /renamed/no')).statusCode, 200)
  t.equal(order()?.customer, 'Eve, renamed')
})

await t.test('transaction() without a function, or on a storage without transactions, is 500 INVALID_OPTIONS that says what to do', async (t) => {
  const { app, tag } = await appWith(t, async (request) => await request.entity().transaction(undefined as never))
  const wrong = await send(app, 'PUT /orders/1', { 'if-match': await tag() })
  t.match(wrong.json(), { message: /pass it a function that does the work, and not undefined/ })
  const other = newApp(t)
  await other.register(ifMatch, { storage: memoryAdapter() })
  other.put('/orders/:id', GUARDED, async (request) => await request.entity().transaction(() => {}))
  const answer = await send(other, 'PUT /orders/1', { 'if-none-match': '*' })
  t.match(answer.json(), {
    statusCode: 500,
    code: 'FST_IF_MATCH_INVALID_OPTIONS',
    message: /Use transactionsAdapter/
  })
})
