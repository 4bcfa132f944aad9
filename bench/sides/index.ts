import type { FastifyInstance } from 'fastify'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import { etcdAdapter } from 'fastify-if-match/storage/etcd'
import { redisAdapter } from 'fastify-if-match/storage/redis'
import { createStorage } from '../../example/storage/index.js'
import { addressOf } from './address-of.js'
import { bareApp } from './bare.js'
import { byHandApp, type HandStore } from './by-hand.js'
import { etcdByHand } from './etcd-by-hand.js'
import { floorApp } from './floor.js'
import { guardedApp } from './guarded.js'
import { handApp } from './hand.js'
import { countedApp, listenedApp } from './listened.js'
import { mysqlByHand } from './mysql-by-hand.js'
import { peers } from './peers.js'
import { postgresByHand } from './postgres-by-hand.js'
import { redisByHand } from './redis-by-hand.js'
import { COMMON, type Side } from './side.js'
import { sqliteByHand } from './sqlite-by-hand.js'
import { transactionsByHand } from './transactions-by-hand.js'
import { transactionsApp } from './transactions.js'

export type { Side } from './side.js'

type Storage = Awaited<ReturnType<typeof createStorage>>

/** The plugin on an adapter, with the early comparison and without. */
function guarded (name: string, storage: (folder: string) => Storage | Promise<Storage>): Record<string, Side> {
  const side = (precheck: boolean): Side => ({
    app: async (folder) => guardedApp(await storage(folder), precheck),
    // Without the early comparison there is no early 304.
    scenarios: [...COMMON, 'get-text', ...precheck ? ['get-304-early'] : []]
  })
  return { [name]: side(true), [`${name}-noprecheck`]: side(false) }
}

/** The engine's own statement in the handler. */
function byHand (store: (folder: string) => Promise<HandStore>): Side {
  return { app: async (folder) => byHandApp(await store(folder)), scenarios: COMMON }
}

/** Everything that is compared. */
export const sides: Readonly<Record<string, Side>> = {
  wire: {
    script: fileURLToPath(new URL('./wire.js', import.meta.url)),
    scenarios: ['put', 'get']
  },
  bare: { app: bareApp, scenarios: COMMON, hasTags: false },
  hand: { app: handApp, scenarios: COMMON },
  floor: { app: floorApp, scenarios: COMMON },
  ...guarded('memory', () => createStorage('memory:')),
  'memory-listened': { app: async () => await listenedApp(await createStorage('memory:')), scenarios: COMMON },
  'memory-counted': { app: async () => await countedApp(await createStorage('memory:')), scenarios: COMMON },
  ...guarded('sqlite', (folder) => createStorage(`sqlite:${join(folder, 'bench.db')}`)),
  'sqlite-by-hand': byHand((folder) => sqliteByHand(join(folder, 'hand.db'))),
  ...guarded('postgres', () => createStorage(addressOf('POSTGRES_URL'))),
  'postgres-by-hand': byHand(() => postgresByHand(addressOf('POSTGRES_URL'))),
  ...guarded('mysql', () => createStorage(addressOf('MYSQL_URL'))),
  // The same server over the driver mariadb.
  ...guarded('mariadb', () => createStorage(addressOf('MYSQL_URL').replace(/^mysql/, 'mariadb'))),
  'mysql-by-hand': byHand(() => mysqlByHand(addressOf('MYSQL_URL'))),
  ...guarded('redis', () => redisAdapter({ client: new Redis(addressOf('REDIS_URL'), { lazyConnect: true }) })),
  'redis-by-hand': byHand(() => redisByHand(addressOf('REDIS_URL'))),
  ...guarded('etcd', () => etcdAdapter({ endpoints: addressOf('ETCD_URL').split(',') })),
  'etcd-by-hand': byHand(() => etcdByHand(addressOf('ETCD_URL').split(',')[0]!)),
  transactions: {
    app: () => transactionsApp(addressOf('POSTGRES_URL'), true),
    scenarios: ['get', 'transaction']
  },
  'transactions-noprecheck': {
    app: () => transactionsApp(addressOf('POSTGRES_URL'), false),
    scenarios: ['get', 'transaction']
  },
  'transactions-by-hand': {
    app: () => transactionsByHand(addressOf('POSTGRES_URL')),
    scenarios: ['get', 'transaction']
  },
  ...peers
}

/** @throws Error if there is none of this name */
export function sideOf (name: string): Side {
  const side = sides[name]
  if (side === undefined) throw new Error(`there is no side "${name}".`)
  return side
}

export async function appOf (name: string, folder: string): Promise<FastifyInstance> {
  return await sideOf(name).app!(folder)
}
