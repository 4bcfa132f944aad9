import { once } from 'node:events'
import { connect, createServer, type Server } from 'node:net'
import { freePort, onFreePorts, PortTaken } from './free-port.js'
import { Link, type Rule } from './proxy-link.js'
import type { Owner } from './service.js'

/** Picks the request that a mode begins with, on its connection; without it, the mode begins at once and everywhere. */
export interface Moment { when?: (request: Buffer) => boolean }

/** The barriers of a mode. */
export interface Caught {
  /** The proxy has the picked request (or any), and has sent it on if the mode lets requests pass. */
  requested: Promise<void>
  /** The engine has answered on that connection, so it has carried out the request. */
  answered: Promise<void>
}

/** Stands between an adapter and its engine. A mode holds for present and new connections until the next one is set. */
export interface Proxy {
  readonly port: number
  /** The address of the engine with the proxy in its place. */
  readonly url: string
  /** How many connections it has accepted. */
  readonly connections: number
  /**
   * How many connections the client has left, and the engine has not ended. Once everything passes and this is 0, the
   * engine has carried out all that will ever be of what the client sent over them.
   */
  readonly left: number
  /** Everything passes, beginning with what was kept back, in order. */
  pass: (moment?: Moment) => Caught
  /**
   * Requests pass. At the answer the connection is destroyed, and the answer is lost. After `times` of these (default
   * 1) everything passes.
   */
  cutAnswer: (moment?: Moment & { times?: number }) => Caught
  /** Requests pass, answers are kept back until `pass()`. */
  hold: (moment?: Moment) => Caught
  /**
   * Nothing passes, not even the end of a connection, until `pass()`: then what was sent arrives after all, as when a
   * network heals.
   */
  halfOpen: (moment?: Moment) => Caught
  /** Destroys all connections, and refuses new ones until `accept()`. */
  refuse: () => Promise<void>
  accept: () => Promise<void>
}

// The ports that an address leaves out.
const PORTS: Record<string, number> = {
  'http:': 80,
  'mysql:': 3306,
  'postgres:': 5432,
  'postgresql:': 5432,
  'redis:': 6379
}

/** Starts a proxy to the engine at this address, such as `service.url`; it ends with the test. */
export async function startProxy (t: Owner, target: string): Promise<Proxy> {
  const url = new URL(target)
  // Without it the second part of a request waits 40 ms (Nagle's algorithm and a delayed ACK).
  const noDelay = { noDelay: true }
  const behind = { host: url.hostname, port: url.port === '' ? PORTS[url.protocol]! : Number(url.port), ...noDelay }
  const links = new Set<Link>()
  let rule: Rule
  let connections = 0
  set('pass')

  function set (mode: Rule['mode'], { when, times = 1 }: Moment & { times?: number } = {}): Caught {
    let [requested, answered] = [() => {}, () => {}]
    const caught = {
      requested: new Promise<void>((resolve) => { requested = resolve }),
      answered: new Promise<void>((resolve) => { answered = resolve })
    }
    let left = times
    rule = {
      mode,
      when,
      requested,
      answered () {
        answered()
        if (mode === 'cutAnswer' && --left === 0) set('pass')
      }
    }
    for (const link of links) link.obey(rule)
    return caught
  }

  const server = createServer(noDelay, (client) => {
    connections++
    const link = new Link(client, connect(behind), rule, () => { links.delete(link) })
    links.add(link)
  })
  const port = await onFreePorts(async () => await listen(server, await freePort()))
  url.hostname = '127.0.0.1'
  url.port = String(port)

  async function refuse (): Promise<void> {
    for (const link of links) link.destroy()
    if (server.listening) await once(server.close(), 'close')
  }
  t.teardown(refuse)

  return {
    port,
    url: url.href.replace(/\/$/, ''),
    get connections () { return connections },
    get left () { return [...links].filter(({ isLeft }) => isLeft).length },
    pass: (moment) => set('pass', moment),
    cutAnswer: (moment) => set('cutAnswer', moment),
    hold: (moment) => set('hold', moment),
    halfOpen: (moment) => set('halfOpen', moment),
    refuse,
    async accept () {
      if (!server.listening) await listen(server, port)
    }
  }
}

async function listen (server: Server, port: number): Promise<number> {
  server.listen(port, '127.0.0.1')
  try {
    await once(server, 'listening')
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === 'EADDRINUSE' ? new PortTaken() : error
  }
  return port
}
