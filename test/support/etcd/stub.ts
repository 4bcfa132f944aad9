import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { json } from 'node:stream/consumers'
import type { Test } from 'tap'

/** A request that reached the stub. */
export interface StubRequest { path: string, body: unknown, token: string | undefined }

/** An answer: what is sent as JSON with a status (default 200), or a text as it is. */
export interface StubAnswer { status?: number, json?: unknown, text?: string }

/** What became of a request: an answer, the connection cut, or nothing at all. */
export type Behaviour = (request: StubRequest) => StubAnswer | 'cut' | 'hold'

/** A server in place of a gateway, for what a real one cannot be made to do. */
export class EtcdStub {
  readonly requests: StubRequest[] = []
  behave: Behaviour = () => ({ json: {} })
  // It ends no connection by itself, however long nobody uses it.
  readonly #server = createServer({ keepAliveTimeout: 0 }, (request, response) => {
    void this.#answer(request, response)
  })

  readonly #open = new Set<Socket>()

  /** On its port, until the test ends. */
  static async start (t: Test, behave: Behaviour = () => ({ json: {} }), host = '127.0.0.1'): Promise<EtcdStub> {
    const stub = new EtcdStub()
    stub.behave = behave
    stub.onConnection((_port, socket) => {
      stub.#open.add(socket)
      socket.once('close', () => {
        stub.#open.delete(socket)
      })
    })
    stub.#server.listen(0, host)
    await once(stub.#server, 'listening')
    t.teardown(() => {
      stub.stop()
    })
    return stub
  }

  get origin (): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Calls back with the client's port of each new connection, and with the connection. */
  onConnection (noted: (port: number, socket: Socket) => void): void {
    this.#server.on('connection', (socket: Socket) => {
      noted(socket.remotePort!, socket)
    })
  }

  /** Resolves when no client is connected any more. */
  async left (): Promise<void> {
    for (const socket of this.#open) await once(socket, 'close')
  }

  stop (): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }

  async #answer (request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = request.method === 'GET' ? undefined : await json(request)
    const received = { path: request.url!, body, token: request.headers.authorization }
    this.requests.push(received)
    const answer = this.behave(received)
    if (answer === 'cut') request.socket.destroy()
    else if (answer !== 'hold') response.writeHead(answer.status ?? 200).end(answer.text ?? JSON.stringify(answer.json))
  }
}

/** An error as the gateway of etcd answers it. */
export function etcdError (status: number, code: number, message: string): StubAnswer {
  return { status, json: { error: message, message, code } }
}

/** The origin of a port on which nobody listens. */
export async function deadOrigin (t: Test): Promise<string> {
  const stub = await EtcdStub.start(t)
  const { origin } = stub
  stub.stop()
  return origin
}
