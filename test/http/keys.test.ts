import t, { type Test } from 'tap'
import type { FastifyRequest } from 'fastify'
import ifMatch, { entityKey } from 'fastify-if-match'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { addOfferRoutes, newApp, offersApp, send, statusOf } from '../support/offers-app.js'

const CREATE = { 'if-none-match': '*' }
const replace = async (request: FastifyRequest): Promise<unknown> =>
  (await request.entity().replace(request.body)).value

await t.test('two spellings of one resource are one entity: percent-encoding, case of the path, trailing slash', async (t) => {
  const storage = memoryAdapter()
  const app = newApp(t, {
    routerOptions: { caseSensitive: false, ignoreTrailingSlash: true, ignoreDuplicateSlashes: true }
  })
  await app.register(ifMatch, { storage })
  addOfferRoutes(app)
  const created = await send(app, 'PUT /offers/a-b', CREATE)
  for (const url of ['/offers/a%2Db', '/Offers/a-b', '/offers/a-b/', '//offers//a-b', '/offers/%61-b?x=1']) {
    t.equal((await app.inject(url)).headers.etag, created.headers.etag, url)
    t.equal(await statusOf(app, `PUT ${url}`, CREATE), 412, url)
  }
  t.same((await storage.list('')).items.map(({ key }) => key), ['/offers/a-b'])
})

await t.test('no parameter reaches into another entity: each is encoded', async (t) => {
  const storage = memoryAdapter()
  const { app } = await offersApp(t, { storage }, (app) => {
    app.put('/a/:x/b/:y', { config: { ifMatch: true } }, replace)
  })
  const urls = ['/a/1%2Fb%2F2/b/3', '/a/1/b/2%2Fb%2F3', '/offers/%252F', '/offers/%2F', '/offers/%C3%A9']
  for (const url of urls) t.ok(await statusOf(app, `PUT ${url}`, CREATE) < 300, url)
  t.same((await storage.list('')).items.map(({ key }) => key), urls)
})

await t.test('parameters that validation changes make the key as they are after it', async (t) => {
  const { app } = await offersApp(t, {}, (app) => {
    const params = { type: 'object', properties: { id: { type: 'integer' } } }
    app.put('/n/:id', { config: { ifMatch: true }, schema: { params } }, replace)
  })
  t.equal(await statusOf(app, 'PUT /n/7', CREATE), 200)
  t.equal(await statusOf(app, 'PUT /n/07', CREATE), 412)
})

await t.test('entityKey makes the key that the route makes, of whatever parameters', async (t) => {
  const storage = memoryAdapter()
  const app = newApp(t)
  await app.register(ifMatch, { storage })
  const numbers = { type: 'object', properties: { number: { type: 'integer' }, flag: { type: 'boolean' } } }
  const patterns = [
    '/offers/:id', '/café/:id', '/p/:p/o/:o', '/files/*', '/x*', '/a/:id?', '/b/:id(^\\d+$)', '/d/::id/:id',
    '/e/:id.json', '/f/v-:id', '/static'
  ]
  const seen: string[] = []
  const guarded = (pattern: string, schema?: object): void => {
    app.put(pattern, { config: { ifMatch: true }, ...(schema && { schema }) }, async (request) => {
      const { url } = request.routeOptions
      const key = entityKey(url!, request.params as object)
      // A handle of the route's own entity is under the precondition: of another one, this would be NOT_READ.
      await request.entity(key).replace(request.body)
      seen.push(key)
    })
  }
  for (const pattern of patterns) guarded(pattern)
  guarded('/n/:number/:flag', { params: numbers })
  await app.register(async (scope) => {
    scope.put('/offers/:id', { config: { ifMatch: true } }, async (request) => {
      seen.push(entityKey('/v1/offers/:id', request.params as object))
      return (await request.entity().replace(request.body)).value
    })
  }, { prefix: '/v1' })
  const hostile = [
    '1', 'caf%C3%A9', 'a%20b', '%25', '%2F', 'a%2F..%2Fb', '%252F', '%00', '+', '*', ':id', '%F0%9F%98%80', ';x=1', '!'
  ]
  const urls = [
    ...hostile.flatMap((id) => [`/offers/${id}`, `/v1/offers/${id}`, `/p/${id}/o/${id}`, `/files/${id}/${id}`]),
    '/offers/', '/caf%C3%A9/%C3%A9', '/files/', '/x', '/xy/z', '/a', '/b/12', '/d/:id/1', '/e/a%2Fb.json', '/f/v-%2F',
    '/static', '/n/7/true', '/n/08/false'
  ]
  for (const url of urls) {
    const { statusCode, body } = await send(app, `PUT ${url}`, CREATE)
    t.equal(statusCode, 200, `${url}: ${body}`)
  }
  t.same([...seen].sort(), (await storage.list('', { limit: 200 })).items.map(({ key }) => key).sort())
  t.equal(new Set(seen).size, urls.length)
})

await t.test('a parameter that validation made an object of is no key: 500, and not one entity for all', async (t) => {
  const { app, storage } = await offersApp(t, {}, (app) => {
    app.setValidatorCompiler(() => (params) => ({ value: { id: new Date((params as { id: string }).id) } }))
    app.put('/days/:id', { config: { ifMatch: true }, schema: { params: {} } }, replace)
  })
  const response = await send(app, 'PUT /days/2020-01-01', CREATE)
  t.same([response.statusCode, response.json().code], [500, 'FST_IF_MATCH_INVALID_OPTIONS'])
  t.equal((await storage.list!('')).items.length, 0)
})

await t.test('the option key: a pattern, or a function of the request', async (t) => {
  const storage = memoryAdapter()
  const app = newApp(t)
  const byQuery = (request: FastifyRequest): string => `f/${(request.query as { q: string }).q}`
  const failing = async (): Promise<string> => { throw new Error('late') }
  await app.register(ifMatch, { storage, key: 'tenant/:tenant/offer/:id' })
  app.put('/:tenant/offers/:id', { config: { ifMatch: true } }, replace)
  app.put('/by-function', { config: { ifMatch: { key: byQuery } } }, replace)
  app.put('/promise', { config: { ifMatch: { key: failing as never } } }, replace)
  app.put('/empty', { config: { ifMatch: { key: () => '' } } }, replace)
  t.equal(await statusOf(app, 'PUT /a/offers/1', CREATE), 200)
  t.equal(await statusOf(app, 'PUT /by-function?q=1', CREATE), 200)
  t.same((await storage.list('')).items.map(({ key }) => key), ['f/1', 'tenant/a/offer/1'])
  const wrong = await send(app, 'PUT /promise', CREATE)
  t.same([wrong.statusCode, wrong.json().code], [500, 'FST_IF_MATCH_INVALID_OPTIONS'], 'a fault of the app')
  const refused = await send(app, 'PUT /empty', CREATE)
  t.same([refused.statusCode, refused.json().code], [400, 'FST_IF_MATCH_INVALID_KEY'])
})

await t.test('wrong keys fail at boot and name the route (FST_IF_MATCH_INVALID_OPTIONS)', async (t) => {
  const code = 'FST_IF_MATCH_INVALID_OPTIONS'
  const app = newApp(t)
  await app.register(ifMatch, { storage: memoryAdapter() })
  const add = (url: string, key?: string, constraints?: Record<string, string>) => () => {
    app.route({
      method: ['PUT', 'PATCH'],
      url,
      config: { ifMatch: key === undefined ? true : { key } },
      ...(constraints && { constraints }),
      handler: async () => {}
    })
  }
  t.throws(add('/offers/:id', '/offers/:other'), { code, message: /PUT, PATCH \/offers\/:id .*"other"/ })
  t.throws(add('/x/:a-:b'), { code, message: /two parameters in one segment/ })
  t.throws(add('/x/:a', '/x/:a(('), { code, message: /parenthesis/ })
  t.throws(add('/offers/:id', undefined, { host: 'a.example' }), { code, message: /constraints/ })
  add('/offers/:id', '/a.example/offers/:id', { host: 'a.example' })()
})

const HOOKS = ['onRequest', 'preParsing', 'preValidation', 'preHandler'] as const

/** The keys of the own entity, as a hook and the handler see them, or the status of the refusal. */
async function keysOf (
  t: Test,
  hook: (typeof HOOKS)[number],
  url: string,
  route: { schema?: object, validatorCompiler?: unknown, attachValidation?: boolean, config?: object }
): Promise<unknown> {
  const keys: unknown[] = []
  const app = newApp(t)
  await app.register(ifMatch, { storage: memoryAdapter() })
  app.put('/n/:id', {
    config: { ifMatch: true },
    ...route as object,
    [hook]: async (request: FastifyRequest) => { keys.push(request.entity().key) }
  }, async (request) => {
    keys.push((await request.entity().create({})) && request.entity().key, request.params)
  })
  const { statusCode, body } = await send(app, `PUT ${url}`, CREATE)
  return statusCode === 200 ? keys : [statusCode, JSON.parse(body).message]
}

const INTEGER = { type: 'object', properties: { id: { type: 'integer' } } }

for (const hook of HOOKS) {
  await t.test(`the key of the own entity is made of the validated parameters, also in ${hook}`, async (t) => {
    for (const url of ['/n/1', '/n/01', '/n/1.0']) {
      t.same(await keysOf(t, hook, url, { schema: { params: INTEGER } }), ['/n/1', '/n/1', { id: 1 }], url)
    }
    t.same(await keysOf(t, hook, '/n/01', {}), ['/n/01', '/n/01', { id: '01' }], 'no schema')
    const byFunction = (request: FastifyRequest): string => {
      const { params, query } = request as unknown as Record<string, Record<string, unknown>>
      return `${typeof params!['id']} ${typeof query!['page']} ${query!['lang']}`
    }
    const querystring = {
      type: 'object',
      properties: { page: { type: 'integer' }, lang: { type: 'string', default: 'en' } }
    }
    const made = await keysOf(t, hook, '/n/01?page=01', {
      schema: { params: INTEGER, querystring },
      config: { ifMatch: { key: byFunction } }
    })
    t.same(made, ['number number en', 'number number en', { id: 1 }], 'a function of the request')
  })

  await t.test(`in ${hook}, a validator of the app makes the key, too, and is not given its own result again`, async (t) => {
    const lower = () => ({ id }: { id: string }) => ({ value: { id: `${id.toLowerCase()}!` } })
    const byCompiler = async (validatorCompiler: unknown) =>
      await keysOf(t, hook, '/n/A', { schema: { params: {} }, validatorCompiler })
    t.same(await byCompiler(lower), ['/n/a!', '/n/a!', { id: 'a!' }])
    const joi = () => ({ id }: { id: string }) => ({ value: { id: id.toLowerCase() }, error: undefined })
    t.same(await byCompiler(joi), ['/n/a', '/n/a', { id: 'a' }])
    const bound = () => function ({ id }: { id: string }) {
      if (arguments.length > 1) throw new Error('Joi takes no such options')
      return { value: { id: id.toLowerCase() } }
    }
    t.same(await byCompiler(bound), ['/n/a', '/n/a', { id: 'a' }])
    const accepts = () => () => true
    t.same(await byCompiler(accepts), ['/n/A', '/n/A', { id: 'A' }])
  })

  await t.test(`in ${hook}, parameters that are invalid make a key as they are, and the answer is the 400 of Fastify`, async (t) => {
    const invalid = await keysOf(t, hook, '/n/x', { schema: { params: INTEGER } })
    t.same(invalid, [400, 'params/id must be integer'])
    const attached = await keysOf(t, hook, '/n/x', { schema: { params: INTEGER }, attachValidation: true })
    t.same(attached, ['/n/x', '/n/x', { id: 'x' }])
    const refuses = () => () => ({ error: new Error('not this one') })
    t.same(await keysOf(t, hook, '/n/x', { schema: { params: {} }, validatorCompiler: refuses }), [400, 'not this one'])
  })
}

await t.test('a key that validation or a hook changes after a hook asked for it is a 500, and never two entities of one request', async (t) => {
  const storage = memoryAdapter()
  const app = newApp(t)
  await app.register(ifMatch, { storage })
  const ask = async (request: FastifyRequest): Promise<void> => { request.entity() }
  const part = (name: 'body' | 'headers') => (request: FastifyRequest): string =>
    `/n/${(request[name] as Record<string, string>)['x-id']}`
  const schema = { type: 'object', properties: { 'x-id': { type: 'integer' } } }
  for (const name of ['body', 'headers'] as const) {
    const config = { ifMatch: { key: part(name), create: 'if-none-match' as const } }
    app.post(`/${name}`, { config, schema: { [name]: schema }, preValidation: ask }, replace)
    app.post(`/${name}/handler`, { config, schema: { [name]: schema } }, replace)
  }
  app.put('/n/:id', {
    config: { ifMatch: true },
    onRequest: ask,
    preValidation: async ({ params }) => { Object.assign(params as object, { id: 'other' }) }
  }, replace)
  for (const name of ['body', 'headers']) {
    const sendId = async (url: string, id: string) => name === 'body'
      ? await send(app, `POST ${url}`, CREATE, { 'x-id': id })
      : await send(app, `POST ${url}`, { ...CREATE, 'x-id': id }, {})
    const changed = await sendId(`/${name}`, '01')
    t.equal(changed.statusCode, 500, name)
    t.match(changed.json(), { code: 'FST_IF_MATCH_INVALID_OPTIONS', message: /was changed since.*preHandler/ })
    t.equal((await storage.list('')).items.length, 0)
    t.equal((await sendId(`/${name}/handler`, '01')).statusCode, 200)
    t.equal((await sendId(`/${name}`, '1')).statusCode, 412, 'the same entity')
    await storage.remove('/n/1', { kind: 'exists' })
  }
  t.equal(await statusOf(app, 'PUT /n/1', CREATE), 500)
  t.equal(await statusOf(app, 'PUT /n/other', CREATE), 200)
})

await t.test('ahead of a validator that is asynchronous, the own entity is refused, and the error names preHandler', async (t) => {
  for (const hook of HOOKS) {
    for (const end of ['accepts', 'rejects']) {
      const compiler = () => async () => { if (end === 'rejects') throw new Error('not this one') }
      const got = await keysOf(t, hook, '/n/A', { schema: { params: {} }, validatorCompiler: compiler }) as unknown[]
      if (hook !== 'preHandler') t.match(got, [500, /asynchronous.*preHandler/])
      else if (end === 'rejects') t.same(got, [400, 'not this one'])
      else t.same(got, ['/n/A', '/n/A', { id: 'A' }])
    }
  }
})

await t.test('a validator runs once where nothing asks for the entity ahead of it', async (t) => {
  let runs = 0
  const app = newApp(t)
  await app.register(ifMatch, { storage: memoryAdapter() })
  const validatorCompiler = () => () => { runs++; return true }
  app.put('/n/:id', { config: { ifMatch: true }, schema: { params: {} }, validatorCompiler }, replace)
  await send(app, 'PUT /n/1', CREATE)
  t.equal(runs, 1)
})

await t.test('a request whose entity is asked for ahead of the validation is left as it was', async (t) => {
  const app = newApp(t)
  await app.register(ifMatch, { storage: memoryAdapter() })
  const seen: unknown[] = []
  app.put('/n/:id', {
    config: { ifMatch: true },
    schema: {
      params: INTEGER,
      querystring: {
        type: 'object',
        properties: {
          page: { type: 'integer', default: 1 },
          ids: { type: 'array', items: { type: 'integer' } },
          filter: INTEGER
        }
      }
    },
    onRequest: async (request) => {
      Object.assign(request.query as object, { filter: { id: '01' } }) // as a parser of the app makes it
      seen.push(request.entity().key, structuredClone([request.params, request.query]))
    }
  }, replace)
  t.equal(await statusOf(app, 'PUT /n/01?ids=01&ids=2', CREATE), 200)
  t.strictSame(seen, ['/n/1', [{ id: '01' }, { ids: ['01', '2'], filter: { id: '01' } }]])
})
