import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { answerUnreadable } from '../../../example/app/client-errors.js'
import { codeOf, newApp, OFFER, offersUrl, send } from '../../support/example/app.js'
import { exchange, listeningApp, open } from '../../support/raw-socket.js'

const URL = offersUrl('/tide-db')

await t.test('bytes that Node cannot read as a request are refused in the form of the API', async (t) => {
  const { app } = await listeningApp(t)
  const requests: Array<[number, string]> = [
    [400, 'GET / HTTP/1.1\r\nHost: localhost\r\nIf-Match: "a\u0001"\r\n\r\n'],
    [400, 'nonsense\r\n\r\n'],
    [431, `GET / HTTP/1.1\r\nHost: localhost\r\nIf-Match: "${'x'.repeat(20_000)}"\r\n\r\n`]
  ]
  for (const [status, request] of requests) {
    const answers = await exchange(t, app, request)
    t.strictSame(answers.map((answer) => answer.status), [status])
    t.match(JSON.parse(answers[0]!.body), { error: { code: 'BadRequest', message: String } })
  }
})

await t.test('a connection that is gone is not answered', async (t) => {
  const app = await newApp(t)
  const calls: unknown[] = []
  for (const [code, writable] of [['ECONNRESET', true], ['HPE_INVALID_METHOD', false]] as const) {
    const socket = {
      writable,
      destroy () { calls.push('destroyed') },
      end (content: string) { calls.push(content) },
      write (content: string) { calls.push(content) }
    }
    answerUnreadable.call(app, Object.assign(new Error('gone'), { code }), socket as never)
  }
  t.strictSame(calls, ['destroyed', 'destroyed'])
})

await t.test('a failure that Node has no code for is refused like any other', async (t) => {
  const { app } = await listeningApp(t)
  app.server.once('connection', (socket) => { app.server.emit('clientError', new Error('without a code'), socket) })
  t.match(await text(await open(t, app)), /^HTTP\/1.1 400 /)
})

await t.test('a client that never ends its side does not hold a refused connection', async (t) => {
  const { app } = await listeningApp(t)
  const socket = await open(t, app)
  socket.allowHalfOpen = true
  const seen = once(app.server, 'clientError')
  socket.write('nonsense\r\n\r\n')
  const [, server] = await seen
  socket.resume()
  await once(server, 'close')
  t.pass()
})

await t.test('a body that would come back as something else is refused: not UTF-8, or encoded', async (t) => {
  const app = await newApp(t)
  const headers = { 'if-match': '*', 'content-type': 'application/json' }
  const broken = Buffer.concat([Buffer.from('{"offerTypeId":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')])
  const response = await send(app, 'PUT', URL, headers, broken)
  t.strictSame([response.statusCode, codeOf(t, response)], [400, 'BadRequest'])
  const encoded = await send(app, 'PUT', URL, { ...headers, 'content-encoding': 'gzip' }, OFFER)
  t.strictSame([encoded.statusCode, codeOf(t, encoded)], [415, 'UnsupportedMediaType'])
  for (const [coding, status] of [['identity', 201], ['Identity', 200]] as const) { // in any letters: RFC 9110 8.4.1
    t.equal((await send(app, 'PUT', URL, { ...headers, 'content-encoding': coding }, OFFER)).statusCode, status)
  }
})
