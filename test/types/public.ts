// Compiled, not run: the compiler fails where a line marked as an error is none, and where an unmarked line is one.
import Fastify, { type FastifyRequest } from 'fastify'
import Database from 'better-sqlite3'
import { Cluster, Redis } from 'ioredis'
import * as mariadb from 'mariadb'
import mysqlCallbacks from 'mysql2'
import mysql from 'mysql2/promise'
import pg from 'pg'
import { createClient, createCluster } from 'redis'
import swagger, { type FastifyDynamicSwaggerOptions, type SwaggerTransform } from '@fastify/swagger'
import { Type, type TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import ifMatch, {
  entityKey,
  errorCodes,
  formatEntityTag,
  isIfMatchError,
  isRefusalError,
  keyPattern,
  problemDetails,
  problemDetailsHandler,
  uuid,
  wholeNumber,
  type Entity,
  type Expectation,
  type Found,
  type IfMatchOptions,
  type IfMatchRouteOptions,
  type ResendOptions,
  type Revision,
  type Saved,
  type StorageAdapter,
  type TransactionOptions,
  type WriteResult
} from 'fastify-if-match'
import { conformanceSuite } from 'fastify-if-match/conformance'
import { transform, type TransformInput, type TransformResult } from 'fastify-if-match/openapi'
import {
  checkKey,
  copyJson,
  jsonText,
  newVersion,
  pageLimit,
  satisfies,
  storageByPattern,
  writeThenRead,
  type Refused,
  type StorageAdapter as SameAdapter
} from 'fastify-if-match/storage'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { mysqlAdapter } from 'fastify-if-match/storage/mysql'
import { postgresAdapter } from 'fastify-if-match/storage/postgres'
import { redisAdapter } from 'fastify-if-match/storage/redis'
import { sqliteAdapter } from 'fastify-if-match/storage/sqlite'
import { sqlStateFault, statementsAdapter, type Row } from 'fastify-if-match/storage/statements'
import { migration, tableAdapter } from 'fastify-if-match/storage/table'

interface Offer { title: string, price?: number }

// Registration: storage is required, and unknown options are errors.
const app = Fastify().withTypeProvider<TypeBoxTypeProvider>()
void app.register(ifMatch, { storage: memoryAdapter() })
void app.register(ifMatch, {
  storage: memoryAdapter<Offer>(),
  missing: 428,
  create: 'wildcard',
  absent: 412,
  compare: ({ opaque, weak }) => ({ opaque, weak }),
  precheck: false,
  global: true,
  key: (request) => request.id
})
// @ts-expect-error storage is missing
void app.register(ifMatch, { missing: 428 })
// @ts-expect-error no such status
const wrong: IfMatchOptions = { storage: memoryAdapter(), missing: 404 }
void app.register(ifMatch, { storage: memoryAdapter(), missing: (r) => r.headers['x-client'] === 'new' ? 428 : 'warn' })
// @ts-expect-error it cannot wait
const waits: IfMatchRouteOptions = { missing: async () => 400 }
// @ts-expect-error no such answer
const wrongAnswer: IfMatchRouteOptions = { missing: () => 'refuse' }
// @ts-expect-error global is an option of the plugin alone
const route: IfMatchRouteOptions = { global: true }

// The config of a route is typed by augmentation, also if a type provider infers the body.
app.put('/offers/:id', {
  config: { ifMatch: { key: '/offers/:id', missing: 'allow' } },
  schema: { body: Type.Object({ title: Type.String() }) }
}, async (request) => {
  const saved: Saved<Offer> = await request.entity<Offer>().replace(request.body)
  const created: boolean = saved.created
  const etag: string = saved.etag
  return { created, etag, title: saved.value.title }
})
// @ts-expect-error no such status. (Fastify infers the type of a config, so names that do not exist are found at boot.)
app.put('/a', { config: { ifMatch: { missing: 404 } } }, async () => {})
app.put('/b', { config: { ifMatch: { missing: (r) => r.params.id === '1' ? 400 : 'allow' } } }, async () => {})
app.put('/c', { config: { ifMatch: false } }, async () => {})

// Entities: every operation keeps the type of the value.
app.post('/d', async (request) => {
  const entity: Entity<Offer> = request.entity<Offer>('/offers/1', { client: 'mine' })
  const found: Found<Offer> = await entity.read()
  await entity.update((offer) => ({ ...offer, price: (offer.price ?? 0) + 1 }))
  await entity.update(async (offer) => offer)
  await entity.replace((current) => current ?? { title: 'new' })
  await entity.update((offer, { version, etag }) => ({ ...offer, title: version + etag }))
  await entity.replace((_current, revision: Revision | undefined) => ({ title: revision?.etag ?? 'new' }))
  // @ts-expect-error there is no revision where there is no entity
  await entity.replace((_current, { etag }) => ({ title: etag }))
  await entity.create({ title: 'new' })
  const nothing: void = await entity.remove()
  // @ts-expect-error the title is missing
  await entity.replace({ price: 1 })
  // @ts-expect-error the title is no number
  await entity.update((offer) => ({ title: 1 }))
  // @ts-expect-error the entity may be absent
  await entity.replace((current) => ({ title: current.title }))
  // @ts-expect-error without a type the value is unknown
  const title: string = (await request.entity().read()).value.title
  // @ts-expect-error no such operation
  await entity.upsert({ title: 'new' })
  return { found, nothing, title }
})

// Adapters: `applied` tells the results apart.
async function adapterAuthor (adapter: StorageAdapter<Offer>): Promise<void> {
  const result: WriteResult<Offer> = await adapter.write('/offers/1', { title: 'a' }, { kind: 'any' })
  const version: string | undefined = result.applied ? result.version : result.current?.version
  // @ts-expect-error only an applied write has a version
  const unchecked: string = result.version
  // @ts-expect-error a removal expects a version or that there is one
  await adapter.remove('/offers/1', { kind: 'absent' })
  // @ts-expect-error no such expectation
  const expectation: Expectation = { kind: 'maybe' }
  await memoryAdapter().list('')
  // @ts-expect-error optional in the contract
  await adapter.list('')
  console.log(version, unchecked, expectation)
}

// Errors: one constructor for each code.
const error = new errorCodes.FST_IF_MATCH_STORAGE_UNAVAILABLE({ cause: new Error('socket') })
if (isIfMatchError(error) && error.code === 'FST_IF_MATCH_STORAGE_UNAVAILABLE') {
  console.log(problemDetails(error).status)
}
const thrown: unknown = error
if (thrown instanceof errorCodes.FST_IF_MATCH_PRECONDITION_FAILED) {
  const { reason, field, isWeak, current, ownWrite } = thrown
  const read: Promise<Found<Offer>> | undefined = current?.read<Offer>()
  // @ts-expect-error there may be no entity
  console.log(reason satisfies 'mismatch' | 'absent' | 'exists', field, isWeak, current.etag, ownWrite, read)
}
// The option resend, and what a handler is told of a write that was sent again.
const resend: ResendOptions = { caller: ({ headers }) => String(headers['x-user']) }
app.post('/resent/:id', { config: { ifMatch: { resend } } }, async (request) => {
  const entity = request.entity<Offer>()
  const options: TransactionOptions<Offer, string> = { repeated: ({ value }) => value.title }
  const { value } = await entity.transaction(async (_tx: unknown, current) => (await current.value()).title, options)
  // @ts-expect-error another answer than that of the work
  await entity.transaction(async () => 'text', { repeated: () => 1 })
  return entity.isRepeated ? value satisfies string : undefined
})
// @ts-expect-error who sends a request is a text
const nobody: IfMatchRouteOptions = { resend: { caller: () => undefined } }
if (isRefusalError(thrown)) console.log(nobody, thrown.statusCode, thrown.current?.version)
// @ts-expect-error only a refusal has an entity
console.log(error.current)
app.setErrorHandler((error, _request, reply) => {
  if (error instanceof errorCodes.FST_IF_MATCH_PRECONDITION_FAILED) void reply.send({ etag: error.current?.etag })
})
// @ts-expect-error no such code
console.log(errorCodes.FST_IF_MATCH_UNHEARD_OF, wrong, route, waits, wrongAnswer)

void conformanceSuite({
  test: async (_name, run) => { await run() },
  createAdapter: async () => ({ adapter: memoryAdapter() }),
  another: false,
  faults: false,
  transactions: false
})
// @ts-expect-error createAdapter is missing
void conformanceSuite({ test: async () => {} })
void adapterAuthor

const key: unknown = 'k'
checkKey(key)
const text: string = jsonText({ [key]: 1 })
const copied: { a: number } = copyJson({ a: pageLimit(1) })
const found: boolean = satisfies({ kind: 'exists' }, newVersion())
const applied: Promise<{ applied: true } | Refused<Offer>> = writeThenRead(
  { kind: 'any' },
  async () => found ? { applied: true as const } : undefined,
  async () => await memoryAdapter<Offer>().read('k')
)
const same: SameAdapter<Offer> = memoryAdapter<Offer>() satisfies StorageAdapter<Offer>
console.log(text, copied, applied, same)

// The transform is one of @fastify/swagger, by its structure alone, and can be called inside another.
const option: NonNullable<FastifyDynamicSwaggerOptions['transform']> = transform
const around: SwaggerTransform = ({ schema, url, route, ...document }) =>
  transform({ schema: { ...schema, tags: ['offers'] }, url, route, ...document })
const result: TransformResult = transform({ url: '/', route: { method: ['GET', 'PUT'] } } satisfies TransformInput)
// @ts-expect-error without the route nothing tells whether it is guarded
transform({ schema: {}, url: '/' })
void app.register(swagger, { openapi: {}, transform })
console.log(option, around, result.schema, result.url)

// Functions among the options: they are for any route, so what is of the route is `any`; one for a certain route fits.
const forAll: IfMatchOptions = {
  storage: memoryAdapter<Offer>(),
  key: (request) => `${request.params.id}${request.query.q}${request.body.title}${request.headers['x-tenant']}`,
  variant: (request, reply) => request.query.format ?? (reply.statusCode === 200 ? 'json' : undefined)
}
const keyOfOffer = (request: FastifyRequest<{ Params: { id: string } }>): string => request.params.id
const forOffers: IfMatchRouteOptions = { key: keyOfOffer }
void app.register(ifMatch, { storage: memoryAdapter(), key: (r) => r.params.id, variant: (r) => r.query.format })
app.put('/e/:id', {
  config: { ifMatch: { key: (r) => r.params.id, variant: ({ headers }) => headers.accept } },
  schema: { params: Type.Object({ id: Type.String() }), body: Type.Object({ title: Type.String() }) },
  preHandler: async (request) => { console.log((await request.entity<Offer>().read()).value.title) }
}, async (request) => {
  const other = request.entity<Offer>(entityKey('/offers/:id', request.params))
  return (await other.replace(request.body)).value
})
app.get<{ Params: { id: string } }>('/f/:id', { config: { ifMatch: forOffers } }, async ({ params }) =>
  entityKey('/offers/:id', params))
const secure = Fastify({ http2: true })
void secure.register(ifMatch, forAll)
secure.get('/a/:id', { config: { ifMatch: { key: (r) => r.params.id } } }, async () => 1)
// A representation is what the function makes of the entity, or nothing; there is no `true`.
void app.register(ifMatch, { storage: memoryAdapter(), representation: false })
app.put('/g/:id', {
  config: {
    ifMatch: {
      representation: async ({ value, etag }, { params, headers }, reply) => {
        reply.type('application/json')
        return headers['x-user'] === value.owner && { ...value, id: params.id, etag }
      }
    }
  }
}, async () => {})
// @ts-expect-error who may write may not always read all
const everything: IfMatchRouteOptions = { representation: true }
app.setErrorHandler(problemDetailsHandler({ base: '/problems/', instance: ({ url }) => url }))
app.put('/h/:id', { errorHandler: problemDetailsHandler() }, async () => everything)
// @ts-expect-error the name of a variant is a string
const wrongVariant: IfMatchRouteOptions = { variant: () => 7 }
// @ts-expect-error params have names
entityKey('/offers/:id', '1')

// Clients as their packages type them; a statement may return the rowCount of pg, which may be null.
const pool = new pg.Pool()
declare const mariadbConnection: mariadb.Connection
declare const mysqlConnection: mysql.PoolConnection
const adapters: Array<StorageAdapter<Offer>> = [
  postgresAdapter<Offer>({ client: pool }),
  postgresAdapter<Offer>({ client: new pg.Client() }),
  mysqlAdapter<Offer>({ client: mysql.createPool({}) }),
  mysqlAdapter<Offer>({ client: mysqlCallbacks.createPool({}) }),
  mysqlAdapter<Offer>({ client: mysqlCallbacks.createConnection({}) }),
  mysqlAdapter<Offer>({ client: mariadb.createPool({}) }),
  mysqlAdapter<Offer>({ client: mariadbConnection }),
  mysqlAdapter<Offer>({ client: mysqlConnection }),
  sqliteAdapter<Offer>({ database: new Database(':memory:') }),
  redisAdapter<Offer>({ client: new Redis() }),
  redisAdapter<Offer>({ client: new Cluster([]) }),
  redisAdapter<Offer>({ client: createClient() }),
  redisAdapter<Offer>({ client: createCluster({ rootNodes: [] }) }),
  statementsAdapter<Offer, Offer, pg.Pool | pg.PoolClient>({
    client: pool,
    toId: (key) => key,
    toColumns: (offer) => offer,
    toValue: ({ title }) => ({ title }),
    read: async (client, id) => (await client.query<Row<Offer>>('SELECT', [id])).rows[0],
    update: async (client, id, row, versions) => (await client.query('UPDATE', [id, row.title, versions])).rowCount,
    insert: async (client, id) => (await client.query('INSERT', [id])).rowCount,
    remove: async (client, id) => (await client.query('DELETE', [id])).rowCount,
    faultOf: sqlStateFault
  }),
  // A version that is there already: any number or text, and neither provenance nor insert.
  statementsAdapter<Offer, Offer, pg.Pool | pg.PoolClient>({
    client: pool,
    toId: (key) => key,
    toColumns: (offer) => offer,
    toValue: ({ title }) => ({ title }),
    read: async (client, id) => (await client.query<Row<Offer, number>>('SELECT', [id])).rows[0],
    update: async (client, id, { title }, versions) =>
      (await client.query<{ version: bigint }>('UPDATE', [id, title, versions])).rows,
    remove: async (client, id) => (await client.query('DELETE', [id])).rowCount
  })
]
// @ts-expect-error A Date has milliseconds alone.
const timed: Row<Offer, Date> = undefined
console.log(timed)
console.log(wrongVariant, adapters)

// Patterns of keys: the names are those of the pattern, texts unless a converter makes something else of them.
const line = keyPattern('/orders/:order/lines/:line')
const texts: { order: string, line: string } = line.parse(line.format({ order: 'a', line: 7 }))
const { parse } = keyPattern('/o/:id/:n', { id: wholeNumber, n: (text) => BigInt(text) })
const converted: { id: number, n: bigint } = parse('/o/1/2')
const second: string = keyPattern('/o/:order/:line', { order: (text) => wholeNumber(text, 9) }).parse('/o/1/2').line
const optional: { id?: string } = keyPattern('/a/:id?').parse('/a/')
const rest: { '*': string } = keyPattern('/files/*').parse('/files/a')
const between: { a_b: string } = keyPattern('/a/::x/v-:a_b(^(?:\\d\\)|y)*:z*$).json').parse('/a/:x/v-y.json')
const none: {} = keyPattern('/static').parse('/static')
const anyNames: Record<string, string> = keyPattern(String(parse)).parse('/a')
// @ts-expect-error the line is missing
line.format({ order: 'a' })
// @ts-expect-error no object is a parameter
line.format({ order: 'a', line: {} })
// @ts-expect-error the pattern has no such name
texts.product = line.parse('/orders/1/lines/1').product
// @ts-expect-error it may be absent
const present: string = keyPattern('/a/:id?').parse('/a/').id
// @ts-expect-error there is nothing to convert under this name
keyPattern('/a/:id', { idd: uuid })
// @ts-expect-error a converter gives what a key may have
keyPattern('/a/:id', { id: () => new Date() })
// @ts-expect-error it is a number
const wrongId: string = parse('/o/1/2').id
const byPattern: StorageAdapter = storageByPattern({ '/a/:id': memoryAdapter<Offer>(), '/b/:id': adapters[0]! })
// @ts-expect-error an adapter for each pattern
storageByPattern({ '/a/:id': memoryAdapter })
const tag: string = formatEntityTag('a')
statementsAdapter({
  client: pool,
  toId: parse,
  toColumns: (offer: Offer) => offer,
  toValue: ({ title }) => ({ title }),
  read: (_client, { id, n }) => [id satisfies number, n satisfies bigint, undefined][2] as undefined,
  update: () => 0,
  insert: () => 0,
  remove: () => 0
})
console.log(converted, second, optional, rest, between, none, anyNames, present, wrongId, byPattern, tag)

// A table by its description: the value is that of the schema.
const table = tableAdapter({
  client: new pg.Pool(),
  table: 'offers',
  id: 'id',
  version: 'row_version',
  columns: Type.Object({ title: Type.String(), price: Type.Optional(Type.Integer()) })
})
void app.register(ifMatch, { storage: table })
void table.write('/offers/1', { title: 'a' }, { kind: 'any' })
// @ts-expect-error the title is a text
void table.write('/offers/1', { title: 5 }, { kind: 'any' })
export const statementsOfTable: string[] = [
  ...table.migration({ children: [{ table: 'lines', references: 'offer_id' }] }),
  ...migration({ dialect: 'mysql', table: ['offers'], id: ['a', 'b'], version: { column: 'v', kind: 'token' } })
]
// @ts-expect-error no such dialect
migration({ dialect: 'oracle', table: 'offers', id: 'id', version: 'v' })
// @ts-expect-error the columns are missing
tableAdapter({ client: new pg.Pool(), table: 'offers', id: 'id', version: 'row_version' })
