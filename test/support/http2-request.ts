import { once } from 'node:events'
import net from 'node:net'

const DATA = 0
const HEADERS = 1
const SETTINGS = 4
const END_STREAM = 1
const END_HEADERS = 4

function frame (type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

// A literal header field without indexing (RFC 7541 6.2.2); names and values below 127 octets.
function field ([name, value]: [string, string]): Buffer {
  return Buffer.concat([
    Buffer.from([0, name.length]),
    Buffer.from(name, 'latin1'),
    Buffer.from([value.length]),
    Buffer.from(value, 'latin1')
  ])
}

/**
 * Sends a PUT over HTTP/2, frame by frame: the protocol allows a field in two lines, and Node's own client refuses to
 * send that. Nothing reads the answer here, so the caller watches the server for it, and closes the socket.
 */
export async function putOverHttp2 (
  port: number,
  path: string,
  fields: Array<[string, string]>,
  body: string
): Promise<net.Socket> {
  const socket = net.connect(port, '127.0.0.1')
  await once(socket, 'connect')
  const headers: Array<[string, string]> = [
    [':method', 'PUT'],
    [':scheme', 'http'],
    [':authority', '127.0.0.1'],
    [':path', path],
    ['content-type', 'application/json'],
    ...fields
  ]
  socket.write(
    Buffer.concat([
      Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
      frame(SETTINGS, 0, 0, Buffer.alloc(0)),
      frame(HEADERS, END_HEADERS, 1, Buffer.concat(headers.map(field))),
      frame(DATA, END_STREAM, 1, Buffer.from(body))
    ])
  )
  socket.resume()
  return socket
}
