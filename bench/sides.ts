import createError from '@fastify/error'
import Fastify, { type FastifyInstance } from 'fastify'
import { join } from 'node:path'
import ifMatch, { type StorageAdapter } from 'fastify-if-match'
import { etcdAdapter } from 'fastify-if-match/storage/etcd'
import { createStorage } from '../example/storage/index.js'
import { byHand, byTransaction } from './transaction-sides.js'

interface OfferRoute { Params: { id: string }, Body: Record<string, unknown> }

/** The apps that are compared. Each has GET and PUT of `/offers/:id`; files of its storage go into the folder. */
export const sides: Readonly<Record<string, (folder: string) => Promise<FastifyInstance>>> = {
  bare: async () => bareApp(),
  memory: async () => guardedApp(await createStorage('memory:')),
  sqlite: async (folder) => guardedApp(await createStorage(`sqlite:${join(folder, 'bench.db')}`)),
  postgres: async () => guardedApp(await createStorage(addressOf('POSTGRES_URL'))),
  mysql: async () => guardedApp(await createStorage(addressOf('MYSQL_URL'))),
  mariadb: async () => guardedApp(await createStorage(addressOf('MYSQL_URL').replace(/^mysql/, 'mariadb'))),
  redis: async () => guardedApp(await createStorage(addressOf('REDIS_URL'))),
  etcd: async () => guardedApp(etcdAdapter({ endpoints: addressOf('ETCD_URL').split(',') })),
  'by-hand': async () => await byHand(addressOf('POSTGRES_URL')),
  transaction: async () => await byTransaction(addressOf('POSTGRES_URL'), false),
  'transaction-precheck': async () => await byTransaction(addressOf('POSTGRES_URL'), true)
}

/** Whether the entities of a side have tags. */
export function hasTags (side: string): boolean {
  return side !== 'bare'
}

// Without a stack, as the errors of the plugin.
const StaleError = createError('STALE', 'The entity has changed.', 412, Error, false)

/**
 * The least that gives the same answers: a Map, no tags, no comparison. Its clients send `*` where those of the others
 * send a tag, so any other tag is a stale one.
 */
function bareApp (): FastifyInstance {
  const app = Fastify()
  const offers = new Map<string, object>()
  app.get<OfferRoute>('/offers/:id', async (request, reply) => {
    if (request.headers['if-none-match'] === '*') return reply.code(304).send()
    return offers.get(request.params.id)
  })
  app.put<OfferRoute>('/offers/:id', async (request) => {
    if (request.headers['if-match'] !== '*') throw new StaleError()
    offers.set(request.params.id, request.body)
    return request.body
  })
  return app
}

async function guardedApp (storage: StorageAdapter): Promise<FastifyInstance> {
  const app = Fastify()
  await app.register(ifMatch, { storage, create: 'wildcard' })
  app.get<OfferRoute>(
    '/offers/:id',
    { config: { ifMatch: true } },
    async (request) => (await request.entity<object>().read()).value
  )
  app.put<OfferRoute>('/offers/:id', { config: { ifMatch: true } }, async (request) => {
    await request.entity().replace(request.body)
    return request.body
  })
  return app
}

function addressOf (variable: string): string {
  const url = process.env[variable]
  if (url === undefined) {
    throw new Error(
      `${variable} must be the address of a server. \`npm run with-engines -- npm run bench\` starts one.`
    )
  }
  return url
}
