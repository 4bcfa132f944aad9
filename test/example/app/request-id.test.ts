import { once } from 'node:events'
import net, { type AddressInfo } from 'node:net'
import { Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import type { AppOptions } from '../../../example/app/index.js'
import { newApp, OFFER, offersUrl, send } from '../../support/example/app.js'

const ID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/
const JSON_TYPE = { 'content-type': 'application/json' }

async function loggedApp (t: Test, options: Partial<AppOptions> = {}) {
  const lines: string[] = []
  const stream = new Writable({ write (chunk, _encoding, done) { lines.push(String(chunk)); done() } })
  const app = await newApp(t, { logger: { level: 'trace', stream }, ...options })
  return { app, lines, logged: () => lines.map((line) => JSON.parse(line)).filter(({ reqId }) => reqId !== undefined) }
}

await t.test('every answer has an id of its own, and every line of its log has the same', async (t) => {
  const { app, lines, logged } = await loggedApp(t)
  const url = offersUrl('/tide-db')
  const requests: Array<[number, () => ReturnType<typeof send>]> = [
    [201, async () => await send(app, 'PUT', url, { 'if-match': '*' }, OFFER)],
    [200, async () => await send(app, 'GET', url)],
    [200, async () => await send(app, 'HEAD', url)],
    [304, async () => await send(app, 'GET', url, { 'if-none-match': '*' })],
    [202, async () => await send(app, 'POST', offersUrl('/tide-db/publish'), { 'if-match': '*' })],
    [200, async () => await send(app, 'GET', '/health')],
    [401, async () => await send(app, 'GET', url, { authorization: undefined })],
    [403, async () => await send(app, 'GET', '/api/publishers/fabrikam/offers?api-version=2017-10-31')],
    [400, async () => await send(app, 'GET', offersUrl('/tide-db', ''))],
    [400, async () => await send(app, 'PUT', url, { 'if-match': '*' }, {})],
    [400, async () => await send(app, 'PUT', url, { ...JSON_TYPE, 'if-match': '*' }, '{')],
    [400, async () => await send(app, 'PUT', url, {}, OFFER)],
    [404, async () => await send(app, 'GET', offersUrl('/other'))],
    [404, async () => await send(app, 'GET', '/nothing')],
    [404, async () => await send(app, 'OPTIONS', '/nothing')],
    [412, async () => await send(app, 'PUT', url, { 'if-match': '"stale"' }, OFFER)],
    [413, async () => await send(app, 'PUT', url, { 'if-match': '*' }, { ...OFFER, large: 'x'.repeat(1024 * 1024) })],
    [415, async () => await send(app, 'PUT', url, { 'content-type': 'text/plain' }, 'text')],
    [400, async () => await send(app, 'GET', '/api/publishers/%zz/offers')],
    [414, async () => await send(app, 'GET', offersUrl(`/${'x'.repeat(16_385)}`))]
  ]
  const ids = new Set<unknown>()
  for (const [status, request] of requests) {
    lines.length = 0
    const response = await request()
    const id = response.headers['x-ms-correlation-request-id']
    t.equal(response.statusCode, status, `${response.raw.req.method} ${status}`)
    t.match(id, ID)
    ids.add(id)
    t.strictSame([...new Set(logged().map(({ reqId }) => reqId))], [id], 'in its log')
  }
  t.equal(ids.size, requests.length)
})

await t.test('the client cannot set the id', async (t) => {
  const { app } = await loggedApp(t)
  const response = await send(app, 'GET', offersUrl(), {
    'request-id': 'mine',
    'x-request-id': 'mine',
    'x-ms-correlation-request-id': 'mine'
  })
  t.match(response.headers['x-ms-correlation-request-id'], ID)
})

await t.test('what Node cannot read has an id too, which is in its log', async (t) => {
  const { app, logged } = await loggedApp(t)
  await app.listen({ host: '127.0.0.1', port: 0 })
  const socket = net.connect((app.server.address() as AddressInfo).port, '127.0.0.1')
  await once(socket, 'connect')
  socket.write('nonsense\r\n\r\n')
  const [, id] = /x-ms-correlation-request-id: (\S+)/.exec(await text(socket))!
  t.match(id, ID)
  t.strictSame(logged().map(({ reqId }) => reqId), [id])
})

await t.test('no line of the log has a token, or what is in a document, also where they are refused', async (t) => {
  const { app, lines } = await loggedApp(t)
  const put = async (document: unknown, headers: Record<string, string> = { 'if-match': '*' }) =>
    await send(
      app,
      'PUT',
      offersUrl('/tide-db'),
      { ...JSON_TYPE, ...headers },
      typeof document === 'string' ? document : JSON.stringify(document)
    )
  const plan = { planId: 'hush-plan' }
  const secret = {
    ...OFFER,
    'hush-name': 'hush-value',
    offerTypeId: 'hush-type',
    definition: { displayText: 'hush-title', plans: [plan] }
  }
  const statuses = [
    await put(secret),
    await send(app, 'GET', offersUrl('/tide-db')),
    await send(
      app,
      'POST',
      offersUrl('/tide-db/publish'),
      { 'if-match': '*' },
      { metadata: { 'notification-emails': 'hush@example.org' } }
    ),
    await put({ ...secret, offerTypeId: 'other' }),
    await put({ ...secret, definition: { ...secret.definition, plans: [plan, plan] } }),
    await send(app, 'POST', offersUrl('/tide-db/cancel'), { 'if-match': '*' }),
    await send(app, 'POST', offersUrl('/tide-db/publish'), { 'if-match': '*' }),
    await put({ ...secret, id: 'hush-id' }),
    await put({ ...secret, offerTypeVersions: { 'hush-key': 'x' } }),
    await put('hush {"hush"'),
    await put('{"hush":hush}'),
    await put('{"offerTypeId":"hush","__proto__":"hush"}'),
    await put({ ...secret, definition: { displayText: ['hush'] } }),
    await send(app, 'GET', offersUrl('/tide-db'), { authorization: 'Bearer hush-token' }),
    await send(app, 'GET', offersUrl('/tide-db'), { authorization: 'hush-token' }),
    await put(secret, { 'if-match': 'hush' })
  ].map(({ statusCode }) => statusCode)
  t.strictSame(statuses, [201, 200, 202, 400, 200, 202, 422, 400, 400, 400, 400, 400, 400, 401, 401, 400])
  t.strictSame(lines.filter((line) => /hush|contoso-token/i.test(line)), [])
})

await t.test('a failure inside tells the log its cause, and neither token nor document', async (t) => {
  const { app, lines, logged } = await loggedApp(t, {
    storage: memoryAdapter({
      around: () => {
        throw new Error('disk on fire')
      }
    })
  })
  const response = await send(app, 'PUT', offersUrl('/tide-db'), { 'if-match': '*' }, { ...OFFER, note: 'hush' })
  t.equal(response.statusCode, 503)
  t.ok(
    logged().some(
      ({ level, reqId, err }) =>
        level === 50 &&
        reqId === response.headers['x-ms-correlation-request-id'] &&
        /disk on fire/.test(JSON.stringify(err))
    )
  )
  t.strictSame(lines.filter((line) => /hush|contoso-token/i.test(line)), [])
})
