import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { MissingError, StaleError } from './client-errors.js'
import { FloorStore, type Condition, type FloorEntity } from './floor-store.js'
import type { OfferRoute } from './side.js'

// A plugin of the same shape as ours with nothing in it: hooks, a handle, a store. It parses no more of a header than
// the benchmark sends, checks no option, no key and no value, and knows no engine, no lost answer and no second entity.
// What our plugin costs above this is the price of what it promises; what this costs is the price of the shape.

const kState = Symbol('state')

type Tags = '*' | string[] | null | undefined

/** What a request has: its preconditions, and what was read and written. */
class State {
  readonly ifMatch: Tags
  readonly ifNoneMatch: Tags
  readonly isRead: boolean
  key = ''
  current: FloorEntity | undefined = undefined
  /** The version that the answer names. */
  version: string | undefined = undefined

  constructor ({ raw, method }: FastifyRequest) {
    this.ifMatch = tagsOf(raw.headers['if-match'])
    this.ifNoneMatch = tagsOf(raw.headers['if-none-match'])
    this.isRead = method === 'GET'
  }
}

/** The opaque parts of strong tags; null for anything else. */
function tagsOf (field: string | undefined): Tags {
  if (field === undefined || field === '*') return field
  const tags: string[] = []
  for (let at = 0; at < field.length;) {
    if (field[at] !== '"') return null
    const end = field.indexOf('"', at + 1)
    tags.push(field.slice(at + 1, end))
    at = end + 1
    if (field[at] === ',') at += 2
  }
  return tags
}

/** What a handler works with. */
class Handle {
  readonly #store: FloorStore
  readonly #state: State

  constructor (store: FloorStore, state: State) {
    this.#store = store
    this.#state = state
  }

  async read (): Promise<FloorEntity> {
    return (this.#state.current ??= await this.#store.read(this.#state.key))!
  }

  async replace (value: object): Promise<{ value: object, version: string, created: boolean }> {
    const state = this.#state
    const condition: Condition = state.ifMatch === '*'
      ? { kind: 'any' }
      : { kind: 'version', versions: state.ifMatch ?? [] }
    const result = await this.#store.write(state.key, value, condition)
    if (!result.applied) {
      state.version = result.current?.version
      throw new StaleError()
    }
    state.version = result.version
    return { value, version: result.version, created: result.created }
  }
}

declare module 'fastify' {
  interface FastifyRequest {
    floor (): Handle
    [kState]: State
  }
}

export async function floorApp (): Promise<FastifyInstance> {
  const app = Fastify()
  const store = new FloorStore()
  app.decorateRequest(kState, null as unknown as State)
  app.decorateRequest('floor', function (this: FastifyRequest) { return new Handle(store, this[kState]) })
  app.addHook('onRequest', (request, _reply, done) => {
    request[kState] = new State(request)
    done()
  })
  app.addHook('preHandler', (request, _reply, done) => {
    const state = request[kState]
    state.key = `/offers/${encodeURIComponent((request.params as { id: string }).id)}`
    if (state.isRead || Array.isArray(state.ifMatch)) compareEarly(store, state, done)
    else done(state.ifMatch === '*' ? undefined : new MissingError())
  })
  app.addHook('onSend', (request, reply, payload, done) => {
    done(null, answer(request[kState], reply) ? payload : null)
  })
  app.get<OfferRoute>('/offers/:id', async (request) => (await request.floor().read()).value)
  app.put<OfferRoute>('/offers/:id', async (request) => {
    await request.floor().replace(request.body)
    return request.body
  })
  app.patch<OfferRoute>('/offers/:id', async (request) => {
    const { value } = await request.floor().read()
    return (await request.floor().replace({ ...value, ...request.body })).value
  })
  return app
}

function compareEarly (store: FloorStore, state: State, done: (error?: Error) => void): void {
  store.read(state.key).then((current) => {
    state.current = current
    state.version = current?.version
    const isStale = Array.isArray(state.ifMatch) && !state.ifMatch.includes(current?.version ?? '')
    done(isStale ? new StaleError() : undefined)
  }, done)
}

/** Gives the answer its tag. Returns whether its body is sent. */
function answer ({ isRead, ifNoneMatch, version }: State, reply: FastifyReply): boolean {
  if (version !== undefined) reply.header('etag', `"${version}"`)
  if (reply.statusCode === 412) reply.header('cache-control', 'no-store')
  if (reply.statusCode >= 300 || !isRead) return true
  reply.header('cache-control', 'no-cache')
  if (!Array.isArray(ifNoneMatch) || !ifNoneMatch.includes(version ?? '')) return true
  reply.code(304).removeHeader('content-type')
  return false
}
