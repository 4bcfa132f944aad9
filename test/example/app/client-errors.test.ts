import { once } from 'node:events'
import net, { type AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { answerUnreadable } from '../../../example/app/client-errors.js'
import { codeOf, newApp, OFFER, offersUrl, send } from '../../support/example/app.js'

const URL = offersUrl('/tide-db')

await t.test('what Node cannot read as a request is refused in the form of the API (CPP §2)', async (t) => {
  const app = await newApp(t)
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  const requests: Array<[number, string]> = [
    [400, 'GET / HTTP/1.1\r\nHost: localhost\r\nIf-Match: "a\u0001"\r\n\r\n'],
    [400, 'nonsense\r\n\r\n'],
    [431, `GET / HTTP/1.1\r\nHost: localhost\r\nIf-Match: "${'x'.repeat(20_000)}"\r\n\r\n`]
  ]
  for (const [status, request] of requests) {
    const socket = net.connect(port, '127.0.0.1')
    await once(socket, 'connect')
    socket.write(request)
    const [head, body] = (await text(socket)).split('\r\n\r\n')
    t.match(head, new RegExp(`^HTTP/1.1 ${status} `))
    t.match(JSON.parse(body!), { error: { code: 'BadRequest', message: String } })
  }
})

await t.test('a connection that is gone is not answered', async (t) => {
  const app = await newApp(t)
  const answered: unknown[] = []
  for (const [code, writable] of [['ECONNRESET', true], ['HPE_INVALID_METHOD', false]] as const) {
    const socket = {
      writable,
      destroy () {
        answered.push('destroyed')
      },
      end (content: string) {
        answered.push(content)
      }
    }
    answerUnreadable.call(app, Object.assign(new Error('gone'), { code }), socket as never)
  }
  t.same(answered, ['destroyed', 'destroyed'])
})

await t.test('a failure that Node has no code for is refused like any other', async (t) => {
  const app = await newApp(t)
  await app.listen({ host: '127.0.0.1', port: 0 })
  app.server.once('connection', (socket) => { app.server.emit('clientError', new Error('without a code'), socket) })
  const socket = net.connect((app.server.address() as AddressInfo).port, '127.0.0.1')
  t.match(await text(socket), /^HTTP\/1.1 400 /)
})

await t.test('a body that would come back as something else is refused: not UTF-8, or encoded', async (t) => {
  const app = await newApp(t)
  const headers = { 'if-match': '*', 'content-type': 'application/json' }
  const broken = Buffer.concat([Buffer.from('{"offerTypeId":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')])
  const response = await send(app, 'PUT', URL, headers, broken as never)
  t.same([response.statusCode, codeOf(t, response)], [400, 'BadRequest'])
  const encoded = await send(app, 'PUT', URL, { ...headers, 'content-encoding': 'gzip' }, OFFER)
  t.same([encoded.statusCode, codeOf(t, encoded)], [415, 'UnsupportedMediaType'])
  for (const [coding, status] of [['identity', 201], ['Identity', 200]] as const) { // RFC 9110 8.4.1: in any letters
    t.equal((await send(app, 'PUT', URL, { ...headers, 'content-encoding': coding }, OFFER)).statusCode, status)
  }
})
