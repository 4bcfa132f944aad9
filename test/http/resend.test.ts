import t from 'tap'
import { ANY, EXISTS } from '../support/expectations.js'
import { offersApp, seed, send, statusOf, tagOf, valueOf, type Offer } from '../support/offers-app.js'
import { resendingApp } from '../support/resending-app.js'

const KEY = '/offers/1'
const KEY_OF = '/offers/:id'
const CREATES = { 'if-none-match': '*' }
const JSON_TYPE = { 'content-type': 'application/json' }
const PRECHECKS = [true, false]

await t.test('resend: a PUT, PATCH or POST whose answer was lost gets the same answer again, and writes nothing (RFC 9110 13.1.1)', async (t) => {
  for (const method of ['PUT', 'PATCH', 'POST']) {
    for (const precheck of PRECHECKS) {
      const { app, storage, version } = await resendingApp(t, { precheck })
      const headers = { 'if-match': await seed(storage) }
      const answers = [await send(app, `${method} /offers/1`, headers, { title: 'mine' })]
      const written = await version()
      answers.push(await send(app, `${method} /offers/1`, headers, { title: 'mine' }))
      answers.push(await send(app, `${method} /offers/1`, headers, { title: 'mine' }))
      t.strictSame(answers.map(({ statusCode, body, headers: { etag } }) => ({ statusCode, body, etag })),
        Array(3).fill({ statusCode: 200, body: answers[0]?.body, etag: `"${written}"` }))
      t.equal(await version(), written)
    }
  }
})

await t.test('resend: a creation is 201 again, and its ETag is that of the first answer', async (t) => {
  const { app, version } = await resendingApp(t)
  const answers = []
  for (let count = 0; count < 2; count++) answers.push(await send(app, 'PUT /offers/1', CREATES, { title: 'mine' }))
  t.strictSame(answers.map(({ statusCode, headers }) => [statusCode, headers.etag]),
    Array(2).fill([201, `"${await version()}"`]))
  t.equal(await statusOf(app, 'PUT /offers/1', CREATES, { title: 'other' }), 412)
})

await t.test('resend: it is off by default, and a route may turn it off', async (t) => {
  const { app, storage } = await offersApp(t, { resend: false }, () => {})
  const headers = { 'if-match': await seed(storage) }
  t.equal(await statusOf(app, 'PUT /offers/1', headers), 200)
  t.equal(await statusOf(app, 'PUT /offers/1', headers), 412)
  t.equal((await storage.read(KEY))?.digest, undefined)
})

await t.test('resend: nothing else than the very same write is taken for it: another caller, tag, method, address, content or type is 412', async (t) => {
  const { app, storage, version } = await resendingApp(t, {}, (app, config) => {
    app.put('/copies/:id', { config }, async (request) => (await request.entity().replace(request.body)).value)
    app.addContentTypeParser('application/merge', { parseAs: 'string' }, (_request, body, done) => {
      done(null, JSON.parse(body as string))
    })
  })
  const etag = await seed(storage)
  const headers = { 'if-match': etag }
  t.equal(await statusOf(app, 'PUT /offers/1?a=1', headers, { title: 'mine' }), 200)
  const written = await version()
  t.equal(await statusOf(app, 'PUT /offers/1?a=1', CREATES, { title: 'mine' }), 412, 'a creation')
  for (const [name, request, more, body] of [
    ['another caller', 'PUT /offers/1?a=1', { 'x-user': 'bea' }, { title: 'mine' }],
    ['another tag', 'PUT /offers/1?a=1', { 'if-match': '"x"' }, { title: 'mine' }],
    ['one more tag', 'PUT /offers/1?a=1', { 'if-match': `${etag}, "x"` }, { title: 'mine' }],
    ['a weak tag', 'PUT /offers/1?a=1', { 'if-match': `W/${etag}` }, { title: 'mine' }],
    ['a creation too', 'PUT /offers/1?a=1', CREATES, { title: 'mine' }],
    ['another method', 'PATCH /offers/1?a=1', {}, { title: 'mine' }],
    ['another query', 'PUT /offers/1?a=2', {}, { title: 'mine' }],
    ['another route', 'PUT /copies/1?a=1', {}, { title: 'mine' }],
    ['another content', 'PUT /offers/1?a=1', {}, { title: 'mine', price: 1 }],
    ['another text', 'PUT /offers/1?a=1', JSON_TYPE, '{"title":"mine","price":null}'],
    ['another type', 'PUT /offers/1?a=1', { 'content-type': 'application/merge' }, '{"title":"mine"}']
  ] as const) t.equal(await statusOf(app, request, { ...headers, ...more }, body), 412, name)
  t.equal(await version(), written)
  t.equal(await statusOf(app, 'PUT /offers/1?a=1', headers, { title: 'mine' }), 200)
})

await t.test('resend: once somebody has written since, it is a 412 that says that the write was applied', async (t) => {
  const seen: unknown[] = []
  const { app, storage } = await resendingApp(t, {}, (app) => {
    app.setErrorHandler(async (error: { statusCode: number, ownWrite?: string }, _request, reply) => {
      seen.push(error.ownWrite)
      return await reply.code(error.statusCode).send(error)
    })
  })
  const headers = { 'if-match': await seed(storage) }
  await send(app, 'PUT /offers/1', headers, { title: 'mine' })
  for (const title of ['second', 'third', 'fourth']) {
    const other = { 'x-user': 'bea', 'if-match': await tagOf(storage) }
    t.equal(await statusOf(app, 'PUT /offers/1', other, { title }), 200)
    const again = await send(app, 'PUT /offers/1', headers, { title: 'mine' })
    t.equal(again.statusCode, 412)
    t.match(again.json().message, /applied before, and the entity was changed since/)
  }
  t.strictSame(seen, ['superseded', 'superseded', 'superseded'])
  t.same(await valueOf(storage), { title: 'fourth' })
})

await t.test('resend: what cannot be told is 412 as without the option: after a write under *, one without the option, one past the plugin', async (t) => {
  for (const write of ['*', 'without', 'past']) {
    const { app, storage } = await resendingApp(t, {}, (app) => {
      app.put('/plain/:id', { config: { ifMatch: { key: KEY_OF } } }, async (request) =>
        (await request.entity().replace(request.body)).value)
    })
    const headers = { 'if-match': await seed(storage) }
    await send(app, 'PUT /offers/1', headers, { title: 'mine' })
    if (write === '*') await send(app, 'PUT /offers/1', { 'if-match': '*' }, { title: 'mine' })
    if (write === 'without') await send(app, 'PUT /plain/1', { 'if-match': await tagOf(storage) }, { title: 'mine' })
    if (write === 'past') await storage.write(KEY, { title: 'mine' }, ANY)
    const again = await send(app, 'PUT /offers/1', headers, { title: 'mine' })
    t.equal(again.statusCode, 412)
    t.notMatch(again.json().message, /applied/)
  }
})

await t.test('resend: under * and without a header nothing is computed, compared or stored', async (t) => {
  let asked = 0
  const counting = { caller: () => { asked++; return 'ada' } }
  const { app, storage, calls } = await resendingApp(t, { resend: counting, missing: 'allow' })
  await seed(storage)
  const key = { 'idempotency-key': 'k' }
  for (const headers of [{ 'if-match': '*' }, { 'if-match': '*', ...key }, {}, key]) {
    calls.length = 0
    t.equal(await statusOf(app, 'PUT /offers/1', headers, { title: 'mine' }), 200)
    t.strictSame(calls, ['write'])
    t.equal((await storage.read(KEY))?.digest, undefined)
  }
  t.equal(asked, 0)
})

await t.test('resend: a removal that is sent again is 404, and nothing is left of its entity that a creation could be taken for', async (t) => {
  const { app, storage } = await resendingApp(t)
  t.equal(await statusOf(app, 'PUT /offers/1', CREATES, { title: 'mine' }), 201)
  const headers = { 'if-match': await tagOf(storage) }
  t.equal(await statusOf(app, 'DELETE /offers/1', headers), 204)
  t.equal(await statusOf(app, 'DELETE /offers/1', headers), 404)
  t.equal(await statusOf(app, 'PUT /offers/1', { ...CREATES, 'x-user': 'bea' }, { title: 'mine' }), 201)
  t.equal(await statusOf(app, 'PUT /offers/1', CREATES, { title: 'mine' }), 412, 'that is the offer of another caller')
  await storage.remove(KEY, EXISTS)
  t.equal(await statusOf(app, 'PUT /offers/1', CREATES, { title: 'mine' }), 201, 'where there is none, it is created')
})

await t.test('resend: two of the same at once, and one that overtakes the other: one writes, and both are told', async (t) => {
  for (const precheck of PRECHECKS) {
    for (const headers of [{}, { 'idempotency-key': 'k' }]) {
      const { app, storage, calls } = await resendingApp(t, { precheck })
      const tagged = { ...headers, 'if-match': await seed(storage) }
      calls.length = 0
      const answers = await Promise.all([1, 2, 3].map(async () => await send(app, 'POST /offers/1', tagged)))
      t.strictSame(answers.map(({ statusCode, body }) => [statusCode, body]), Array(3).fill([200, answers[0]?.body]))
      t.match(await valueOf(storage), { price: 1 })
    }
  }
})

await t.test('resend: the function of update does not run again, and the handler is told (isRepeated)', async (t) => {
  const told: boolean[] = []
  let runs = 0
  const { app, storage } = await resendingApp(t, {}, (app, config) => {
    app.post('/act/:id', { config }, async (request) => {
      const offer = request.entity<Offer>()
      told.push(offer.isRepeated)
      const { value } = await offer.update((current) => { runs++; return { ...current, price: 7 } })
      told.push(offer.isRepeated, request.entity<Offer>().isRepeated, request.entity('/plans/1').isRepeated)
      return value
    })
  })
  const headers = { 'if-match': await seed(storage) }
  for (let count = 0; count < 2; count++) t.equal(await statusOf(app, 'POST /act/1', headers), 200)
  t.equal(runs, 1)
  t.strictSame(told, [false, false, false, false, false, true, true, false])
})

await t.test('resend: a handler that finds nothing to do the second time, and says unchanged(), succeeds as well', async (t) => {
  const { app, storage, version } = await resendingApp(t, {}, (app, config) => {
    app.put('/act/:id', { config }, async (request) => {
      const offer = request.entity<Offer>()
      const { title } = request.body as Offer
      return (await offer.read()).value.title === title ? await offer.unchanged() : await offer.replace({ title })
    })
  })
  const headers = { 'if-match': await seed(storage) }
  for (let count = 0; count < 2; count++) {
    const { statusCode, headers: { etag } } = await send(app, 'PUT /act/1', headers, { title: 'mine' })
    t.strictSame([statusCode, etag], [200, `"${await version()}"`])
  }
  t.equal(await statusOf(app, 'PUT /act/1', headers, { title: 'other' }), 412)
})

await t.test('resend: a write behind unchanged() is recognised as well, and applied once', async (t) => {
  for (const key of [{}, { 'idempotency-key': 'k' }]) {
    const { app, storage } = await resendingApp(t, {}, (app, config) => {
      app.post('/act/:id', { config }, async (request) => {
        const offer = request.entity<Offer>()
        const { value: { price = 0 } } = await offer.unchanged()
        return (await offer.replace({ title: 'mine', price: price + 1 })).value
      })
    })
    const headers = { ...key, 'if-match': await seed(storage) }
    for (let count = 0; count < 3; count++) {
      t.same((await send(app, 'POST /act/1', headers)).json(), { title: 'mine', price: 1 })
    }
    t.match(await valueOf(storage), { price: 1 })
  }
})
