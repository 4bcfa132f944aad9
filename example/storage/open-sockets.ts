import type { Socket } from 'node:net'

/**
 * How long a server may take to close a connection, in milliseconds. One that hangs never does, and would keep the
 * process (engine-facts#pg-pool-end-waits).
 */
const CLOSE_TIMEOUT = 1000

/** The sockets of a client, as long as they are open. */
export class OpenSockets {
  readonly #all = new Set<Socket>()

  /** The socket, which is one of these from now on. */
  add (socket: Socket): Socket {
    this.#all.add(socket)
    return socket.once('close', () => { this.#all.delete(socket) })
  }

  /** Destroys those that are still open when the server had its time to close them. */
  destroySoon (): void {
    setTimeout(() => { for (const socket of this.#all) socket.destroy() }, CLOSE_TIMEOUT).unref()
  }
}
