import t from 'tap'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { loggedApp, OFFER, offersUrl, send } from '../../support/example/app.js'
import { exchange, listeningApp } from '../../support/raw-socket.js'

const ID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/
const ANY = { 'if-match': '*' }
const JSON_TYPE = { 'content-type': 'application/json' }

await t.test('a refusal of bytes that Node cannot read has an id too, which is in its log', async (t) => {
  const { app, logged } = await listeningApp(t)
  const [answer] = await exchange(t, app, 'nonsense\r\n\r\n')
  const id = answer!.headers['x-ms-correlation-request-id']
  t.match(id, ID)
  t.strictSame(logged().map(({ reqId }) => reqId), [id])
})

await t.test('no line of the log has a token or a part of a document, also where they are refused', async (t) => {
  const { app, lines } = await loggedApp(t)
  const put = async (document: unknown, headers: Record<string, string> = ANY) => {
    const text = typeof document === 'string' ? document : JSON.stringify(document)
    return await send(app, 'PUT', offersUrl('/tide-db'), { ...JSON_TYPE, ...headers }, text)
  }
  const act = async (action: string, body?: object) =>
    await send(app, 'POST', offersUrl(`/tide-db/${action}`), ANY, body)
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
    await act('publish', { metadata: { 'notification-emails': 'hush@example.org' } }),
    await put({ ...secret, offerTypeId: 'other' }),
    await put({ ...secret, definition: { ...secret.definition, plans: [plan, plan] } }),
    await act('cancel'),
    await act('publish'),
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

await t.test('a failure of the server is logged with its cause, and without token and document', async (t) => {
  const storage = memoryAdapter({ around: () => { throw new Error('disk on fire') } })
  const { app, lines, logged } = await loggedApp(t, { storage })
  const response = await send(app, 'PUT', offersUrl('/tide-db'), ANY, { ...OFFER, note: 'hush' })
  t.equal(response.statusCode, 503)
  const failures = logged().filter(({ level, err }) => level === 50 && /disk on fire/.test(JSON.stringify(err)))
  t.strictSame(failures.map(({ reqId }) => reqId), [response.headers['x-ms-correlation-request-id']])
  t.strictSame(lines.filter((line) => /hush|contoso-token/i.test(line)), [])
})
