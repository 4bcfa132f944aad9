import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

// Below the ports that systems give to outgoing connections: a client that keeps calling a server that is down could
// otherwise be given that port itself, and the server could not come back. Room above for the bus of Redis Cluster.
const FIRST = 10_000
const LAST = 22_000
const BUS = 10_000

/** Another process took the port first. */
export class PortTaken extends Error {}

/** A port of 127.0.0.1 that is free, and so is the port that Redis Cluster adds to it for its bus. */
export async function freePort (): Promise<number> {
  while (true) {
    const port = randomInt(FIRST, LAST)
    if (await isFree(port) && await isFree(port + BUS)) return port
  }
}

/** Runs a start that takes free ports, and runs it again with other ports if one was taken meanwhile. */
export async function onFreePorts<T> (start: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start()
    } catch (error) {
      if (!(error instanceof PortTaken) || attempt === 5) throw error
    }
  }
}

async function isFree (port: number): Promise<boolean> {
  const server = createServer()
  try {
    await once(server.listen(port, '127.0.0.1'), 'listening')
  } catch {
    return false
  }
  server.close()
  await once(server, 'close')
  return true
}
