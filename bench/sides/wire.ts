import { createServer } from 'node:net'
import { AnswerReader } from '../load/answer.js'
import { serve } from '../serve.js'

// A server that does nothing: it finds the end of each request, and answers with the bytes of a body that it was sent.
// What the generator of load reaches against it is the most that it can ask of a server.

let answer = ''

const server = createServer({ noDelay: true }, (socket) => {
  // A request is framed as an answer is.
  const reader = new AnswerReader()
  socket.on('data', (bytes) => {
    const request = reader.push(bytes)
    if (request === undefined) return
    if (answer === '') answer = answerWith(request.body())
    socket.write(answer, 'latin1')
  })
  socket.on('error', () => socket.destroy())
})

function answerWith (document: string): string {
  return 'HTTP/1.1 200 OK\r\netag: "1"\r\ncontent-type: application/json; charset=utf-8\r\n' +
    `content-length: ${document.length}\r\n\r\n${document}`
}

server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as { port: number }
  serve(`http://127.0.0.1:${port}`, () => process.exit())
})
