import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { createConnection } from 'mysql2'
import type { Connection, RowDataPacket } from 'mysql2/promise'
import { startEngine } from './engine-process.js'
import { freePort, onFreePorts } from './free-port.js'
import { newMariadb } from './mariadb.js'
import { programOf } from './programs.js'
import type { Owner, Service } from './service.js'

const NODES = 3

// Where Debian and others have the library, seen from the folder of the server.
const LIBRARIES = ['lib/galera', 'lib64/galera-4', 'lib64/galera'].map((folder) => `../${folder}/libgalera_smm.so`)

/** A node of a cluster. */
export interface Node extends Service {
  /** Cuts it off from the others, and waits until it knows. Its clients reach it all the while. */
  cutOff: () => Promise<void>
}

interface Ports { sql: number, group: number, state: number, copy: number }

/** A Galera cluster of three nodes. The first one cannot be restarted: it would begin a cluster of its own. */
export async function startGalera (t: Owner, settings: Record<string, string> = {}): Promise<Node[]> {
  return await onFreePorts(async () => {
    const ports: Ports[] = []
    for (let node = 0; node < NODES; node++) {
      const [sql, group, state, copy] = [await freePort(), await freePort(), await freePort(), await freePort()]
      ports.push({ sql, group, state, copy })
    }
    const nodes: Node[] = []
    // One after the other: each copies the data of one that is there.
    for (const own of ports) nodes.push(await startNode(t, own, ports.slice(0, nodes.length), settings))
    return nodes
  })
}

async function startNode (t: Owner, own: Ports, others: Ports[], settings: Record<string, string>): Promise<Node> {
  const engine = await newMariadb(own.sql, {
    'binlog-format': 'ROW',
    'innodb-autoinc-lock-mode': '2',
    'wsrep-on': 'ON',
    'wsrep-provider': library(),
    'wsrep-cluster-address': `gcomm://${others.map(({ group }) => `127.0.0.1:${group}`).join()}`,
    'wsrep-node-address': `127.0.0.1:${own.group}`,
    'wsrep-sst-method': 'rsync',
    'wsrep-sst-receive-address': `127.0.0.1:${own.copy}`,
    'wsrep-provider-options': Object.entries({
      base_port: own.group,
      'gmcast.listen_addr': `tcp://127.0.0.1:${own.group}`,
      'ist.recv_addr': `127.0.0.1:${own.state}`,
      'gcache.size': '16M'
    }).map((option) => option.join('=')).join(';'),
    ...settings
  })
  const service = await startEngine(t, { ...engine, answers: async () => await stateOf(engine.url) === 'Synced' })
  const cutOff = async (): Promise<void> => {
    await onConnection(engine.url, async (connection) => {
      await connection.query("SET GLOBAL wsrep_provider_options = 'gmcast.isolate=1'")
      while ((await statusOf(connection, 'wsrep_ready')) !== 'OFF') await delay(20)
    })
  }
  return Object.assign(service, { cutOff })
}

/** The library of Galera. @throws Error if it is not installed */
function library (): string {
  const folder = dirname(programOf('mariadbd'))
  const found = LIBRARIES.map((path) => join(folder, path)).find(existsSync)
  if (found === undefined) throw new Error('libgalera_smm.so is not installed.')
  return found
}

async function stateOf (url: string): Promise<string | undefined> {
  return await onConnection(url, async (connection) => await statusOf(connection, 'wsrep_local_state_comment'))
    .catch(() => undefined)
}

async function statusOf (connection: Connection, name: string): Promise<string | undefined> {
  const [[row]] = await connection.query<RowDataPacket[]>('SHOW STATUS LIKE ?', [name])
  return row?.['Value']
}

async function onConnection<R> (url: string, run: (connection: Connection) => Promise<R>): Promise<R> {
  // The database of the tests is there once the node has the data of the others.
  const connection = createConnection({ uri: url.replace(/\/test$/, '') })
  // A node that starts may close it at any time.
  connection.on('error', () => {})
  try {
    return await run(connection.promise())
  } finally {
    connection.destroy()
  }
}
