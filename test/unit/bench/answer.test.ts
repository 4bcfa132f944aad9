import t from 'tap'
import { AnswerReader, etagOf } from '../../../bench/load/answer.js'
import { documentOf } from '../../../bench/document.js'
import { encode } from '../../../bench/load/request.js'

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1')

await t.test('bench: an answer is whole when its body is, wherever the bytes were cut', (t) => {
  const messages = [
    ['HTTP/1.1 200 OK\r\nETag: "7"\r\nContent-Length: 5\r\n\r\nhello', 200, 'hello'],
    ['HTTP/1.1 205 Reset\r\netag: "7"\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n', 205, ''],
    ['HTTP/1.1 200 OK\r\netag: "7"\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n', 200, 'abcd'],
    ['HTTP/1.1 304 Not Modified\r\netag: "7"\r\ncontent-length: 5\r\n\r\n', 304, '']
  ] as const
  const reader = new AnswerReader()
  for (const [text, status, body] of messages) {
    for (let cut = 0; cut < text.length; cut++) {
      t.equal(cut === 0 ? undefined : reader.push(bytes(text.slice(0, cut))), undefined)
      const answer = reader.push(bytes(text.slice(cut)))
      t.equal(answer?.status, status)
      t.equal(answer?.body(), body)
      t.equal(etagOf(answer!), '"7"')
    }
  }
  t.end()
})

await t.test('bench: a request says how long its body is, and a document is as long as it was asked for', (t) => {
  t.equal(
    encode({ method: 'PUT', path: '/offers/1', headers: { 'if-match': '*' }, body: '{}' }, '127.0.0.1:80'),
    'PUT /offers/1 HTTP/1.1\r\nhost: 127.0.0.1:80\r\nif-match: *\r\ncontent-length: 2\r\n\r\n{}'
  )
  for (const kilobytes of [1, 64, 1024]) {
    const document = documentOf(kilobytes)
    const length = document.length / 1024
    t.ok(length >= kilobytes && length < kilobytes + 0.2, `${length} KB`)
    t.match(document, /^[ -~]*$/, 'ASCII')
  }
  t.end()
})
