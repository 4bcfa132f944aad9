import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import ifMatch, { type StorageAdapter } from 'fastify-if-match'
import type { Decider } from './protocol.js'

/** GET and PUT of things, with the precondition decided as `decider` says. Only `plugin` is right. */
export async function addRoutes (app: FastifyInstance, storage: StorageAdapter, decider: Decider): Promise<void> {
  await app.register(ifMatch, { storage: decider === 'adapter' ? readsThenWrites(storage) : storage })
  const config = { ifMatch: true }
  app.get('/things/:id', { config }, async (request) => (await request.entity().read()).value)

  if (decider === 'plugin' || decider === 'adapter') {
    app.put('/things/:id', { config }, async (request, reply) => {
      const saved = await request.entity().replace(request.body)
      return reply.code(saved.created ? 201 : 200).send(saved.value)
    })
    return
  }

  app.put('/things/:id', {
    config: { ifMatch: false },
    [decider]: async (request: FastifyRequest, reply: FastifyReply) => {
      const current = await storage.read(request.url)
      if (!holds(request, current?.version)) return reply.code(412).send()
    }
  }, async (request, reply) => {
    const written = await storage.write(request.url, request.body, { kind: 'any' })
    if (!written.applied) throw new Error('a write without a condition was refused')
    return reply.code(written.created ? 201 : 200).header('ETag', `"${written.version}"`).send(request.body)
  })
}

function holds ({ headers }: FastifyRequest, version: string | undefined): boolean {
  if (headers['if-none-match'] === '*') return version === undefined
  return version !== undefined && (headers['if-match'] === '*' || headers['if-match'] === `"${version}"`)
}

/** Wrong: another writer comes between the read and the write. */
function readsThenWrites (storage: StorageAdapter): StorageAdapter {
  return {
    ...storage,
    async write (key, value, expectation, options) {
      const current = await storage.read(key, options)
      const isRefused = (expectation.kind === 'version' && !expectation.versions.includes(current?.version ?? '')) ||
        (expectation.kind === 'exists' && current === undefined) ||
        (expectation.kind === 'absent' && current !== undefined)
      return isRefused ? { applied: false, current } : await storage.write(key, value, { kind: 'any' }, options)
    }
  }
}
