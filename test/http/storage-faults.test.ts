import t from 'tap'
import { errorCodes, type StorageAdapter } from 'fastify-if-match'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { offersApp, seed } from '../support/offers-app.js'

const secret = 'password=hunter2'

function failing (operations: string[], error: unknown): StorageAdapter {
  return memoryAdapter({
    around: (step, operation) => {
      if (operations.includes(operation)) throw error
      return step()
    }
  })
}

await t.test('an outage is 503 and never looks like an absence or a match (R59, fail closed)', async (t) => {
  for (const method of ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'POST'] as const) {
    const { app } = await offersApp(t, { storage: failing(['read', 'write', 'remove'], new Error(secret)) })
    for (const headers of [{ 'if-match': '*' }, { 'if-match': '"x"' }, { 'if-none-match': '*' }]) {
      if (method !== 'PUT' && method !== 'GET' && 'if-none-match' in headers) continue
      const response = await app.inject({ method, url: '/offers/1', headers, ...(method === 'PUT' && { payload: {} }) })
      t.equal(response.statusCode, 503, `${method} ${JSON.stringify(headers)}`)
      t.notMatch(response.body, /hunter2/)
      t.equal(response.headers.etag, undefined)
    }
  }
})

await t.test('a read that fails was certainly no write (STORAGE_UNAVAILABLE); a write that fails may have been one (OUTCOME_UNKNOWN)', async (t) => {
  const cause = new Error(secret)
  for (const [operations, code] of [
    [['read'], 'FST_IF_MATCH_STORAGE_UNAVAILABLE'],
    [['write', 'remove'], 'FST_IF_MATCH_OUTCOME_UNKNOWN']
  ] as const) {
    let thrown: Error | undefined
    const storage = failing([...operations], cause)
    const { app } = await offersApp(t, { storage }, (app) => {
      app.addHook('onError', async (_request, _reply, error) => {
        thrown = error
      })
    })
    const etag = await seed(memoryAdapter())
    for (const method of ['PUT', 'DELETE'] as const) {
      const response = await app.inject({
        method,
        url: '/offers/1',
        headers: { 'if-match': code.endsWith('UNKNOWN') ? '*' : etag },
        ...(method === 'PUT' && { payload: {} })
      })
      t.match(response.json(), { statusCode: 503, code })
      t.equal(thrown?.cause, cause, 'the log has what happened')
    }
  }
})

await t.test('what an adapter says by our own codes is passed on', async (t) => {
  for (const code of ['FST_IF_MATCH_STORAGE_UNAVAILABLE', 'FST_IF_MATCH_OUTCOME_UNKNOWN'] as const) {
    const { app } = await offersApp(t, { storage: failing(['write', 'read'], new errorCodes[code]()) })
    t.match((await app.inject({ method: 'PUT', url: '/offers/1', headers: { 'if-match': '*' }, payload: {} })).json(), {
      statusCode: 503,
      code
    })
    t.match((await app.inject('/offers/1')).json(), { statusCode: 503, code })
  }
})

await t.test('a value that JSON cannot carry is 422 and changes nothing (FST_IF_MATCH_INVALID_VALUE)', async (t) => {
  const { app, storage } = await offersApp(t)
  await seed(storage)
  const response = await app.inject({
    method: 'PUT',
    url: '/offers/1',
    headers: { 'if-match': '*', 'content-type': 'application/json' },
    payload: '{"price":1e999}'
  })
  t.match(response.json(), { statusCode: 422, code: 'FST_IF_MATCH_INVALID_VALUE' })
  const deep = `${'['.repeat(600)}1${']'.repeat(600)}`
  const nested = await app.inject({
    method: 'PUT',
    url: '/offers/1',
    headers: { 'if-match': '*', 'content-type': 'application/json' },
    payload: deep
  })
  t.equal(nested.statusCode, 422)
  t.same((await storage.read('/offers/1'))?.value, { title: 'seeded' })
})

await t.test('an adapter that answers nonsense is 500, not a success (FST_IF_MATCH_INVALID_ADAPTER)', async (t) => {
  for (const answer of [undefined, null, {}, true, { applied: 1 }]) {
    const { app } = await offersApp(t, {
      storage: { read: async () => undefined, write: async () => answer as never, remove: async () => answer as never }
    })
    for (const method of ['PUT', 'DELETE'] as const) {
      const response = await app.inject({
        method,
        url: '/offers/1',
        headers: { 'if-match': '*' },
        ...(method === 'PUT' && { payload: {} })
      })
      t.match(response.json(), { statusCode: 500, code: 'FST_IF_MATCH_INVALID_ADAPTER' })
    }
  }
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
  t.equal(
    (await app.inject({ method: 'PUT', url: '/offers/1', headers: { 'if-none-match': '*' }, payload: {} })).json().code,
    'FST_IF_MATCH_INVALID_ADAPTER'
  )
})

await t.test('an adapter that refuses with what it expected is not believed: 503, never a 412 with the tag that was sent', async (t) => {
  const current = { value: {}, version: 'same' }
  const { app } = await offersApp(t, {
    storage: {
      read: async () => current,
      write: async () => ({ applied: false, current }),
      remove: async () => ({ applied: false, current })
    }
  })
  const response = await app.inject({ method: 'DELETE', url: '/offers/1', headers: { 'if-match': '"same"' } })
  t.match(response.json(), { statusCode: 503, code: 'FST_IF_MATCH_CONTENTION' })
})
