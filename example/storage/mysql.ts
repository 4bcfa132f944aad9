import { connect, isIP, type Socket } from 'node:net'
import { mysqlAdapter, type MysqlClient } from 'fastify-if-match/storage/mysql'
import { parseAddress, type StorageAddress } from './address.js'
import { closing } from './closing.js'
import type { CreateStorage } from './create-storage.js'
import { OpenSockets } from './open-sockets.js'
import { SettingError } from './setting-error.js'

/** A pool of connections, and how it ends. */
interface Pool { client: MysqlClient, end: () => Promise<unknown> }

/** The part of an address that both drivers take. */
interface Place { host: string, port: number, user?: string, password?: string, database: string }

/** How long a connection may take, in milliseconds. */
const CONNECT_TIMEOUT = 2000

/** The one mode of TLS: the server must have it, and a certificate that names its host and that Node.js trusts. */
const VERIFIED = 'VERIFY_IDENTITY'

/**
 * `mysql://…` over the driver mysql2, or `mariadb://…` over mariadb, which is the driver of its own makers. Both serve
 * both servers. The table is made where it is missing.
 */
export const createMysql: CreateStorage = async (setting) => {
  const address = parseAddress(setting, 3306, 'ssl-mode')
  if (address === undefined || !isDatabase(address)) {
    throw new SettingError(
      'STORAGE',
      `accepts "mysql://user:password@host:port/database[?ssl-mode=${VERIFIED}]" and the same with "mariadb://", ` +
        'with what is special in a password percent-encoded; a host that TLS is to verify has a name'
    )
  }
  const { hosts: [{ host, port }], user, password, path: database } = address
  const place = { host, port, database, ...user !== undefined && { user }, ...password !== undefined && { password } }
  const sockets = new OpenSockets()
  // In place of those that the drivers make, and tell of once the server has answered.
  const stream = (): Socket => sockets.add(keptAlive(connect({ host, port, noDelay: true })))
  const poolOf = address.scheme === 'mysql' ? mysql2Pool : mariadbPool
  const pool = await poolOf(place, stream, address['ssl-mode'] === VERIFIED)
  const adapter = mysqlAdapter({ client: pool.client })
  const open = async (): Promise<void> => {
    await adapter.createTable()
    await adapter.open?.()
  }
  return closing({ ...adapter, open }, async () => {
    sockets.destroySoon()
    await pool.end()
  })
}

/** Whether an address names one database on one server. */
function isDatabase (address: StorageAddress): address is StorageAddress & { hosts: [{ host: string, port: number }] } {
  const { hosts: [{ host } = { host: '' }, ...others], path, 'ssl-mode': mode } = address
  // In place of an IP address mysql2 looks for another name in the certificate.
  const isKnownMode = mode === undefined || (mode === VERIFIED && isIP(host) === 0)
  return others.length === 0 && path !== '' && isKnownMode
}

// So that it is found out when its other end is gone.
function keptAlive (socket: Socket): Socket {
  return socket.once('connect', () => { socket.setKeepAlive(true) })
}

// Loaded when it is asked for, as the engines are: nobody needs the driver of the other scheme.
async function mysql2Pool (place: Place, stream: () => Socket, isVerified: boolean): Promise<Pool> {
  const { createPool } = await import('mysql2/promise')
  const client = createPool({
    ...place,
    stream,
    connectTimeout: CONNECT_TIMEOUT,
    ...isVerified && { ssl: { verifyIdentity: true } }
  })
  return { client, end: () => client.end() }
}

async function mariadbPool (place: Place, stream: () => Socket, isVerified: boolean): Promise<Pool> {
  const { createPool } = await import('mariadb')
  const client = createPool({
    ...place,
    // It takes what is returned, and has no type for that.
    stream: stream as () => void,
    connectTimeout: CONNECT_TIMEOUT,
    acquireTimeout: CONNECT_TIMEOUT,
    // As many connections as there is work for, as the other driver has.
    minimumIdle: 0,
    ...isVerified && { ssl: { host: place.host } as object }
  })
  // The pool tells of each connection that it cannot have, which is not among the types of its events. Without a
  // listener the process would end.
  const events = client as object as NodeJS.EventEmitter
  events.on('error', () => {})
  return { client, end: () => client.end() }
}
