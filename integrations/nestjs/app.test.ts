import {
  Controller,
  ForbiddenException,
  Get,
  Module,
  Put,
  Req,
  UnprocessableEntityException,
  UseGuards,
  Version,
  VersioningType,
  type LoggerService,
  type Type
} from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { FastifyAdapter, RouteConfig, type NestFastifyApplication } from '@nestjs/platform-fastify'
import Database from 'better-sqlite3'
import type { FastifyRequest } from 'fastify'
import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import ifMatch, { type IfMatchOptions } from 'fastify-if-match'
import type { StorageAdapter } from 'fastify-if-match/storage'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { ABSENT } from '../../test/support/expectations.js'
import { ordersAdapter } from '../better-sqlite3/orders-adapter.js'
import { wave } from '../support/orders/transaction-cases.js'
import { createApp } from './create-app.js'
import { IfMatchFilter } from './if-match.filter.js'
import { OrdersController } from './orders.controller.js'

// Shows what the page says of Nest. If a later version behaves otherwise, the page has to change.

const url = '/orders/7'
const plum = { sku: 'plum', quantity: 3 }

function newStorage (t: Test): StorageAdapter {
  const handle = new Database(':memory:')
  t.teardown(() => { handle.close() })
  handle.exec(readFileSync('support/orders/sqlite.sql', 'utf8'))
  return ordersAdapter(handle)
}

/** An app without the filter. */
async function newApp (
  t: Test,
  controller: Type,
  options: IfMatchOptions,
  prepare: (app: NestFastifyApplication) => unknown = () => {}
) {
  class AppModule {}
  Module({ controllers: [controller] })(AppModule)
  const logged: unknown[] = []
  const ignore = (): void => {}
  const logger: LoggerService = { log: ignore, warn: ignore, error: (error: unknown) => { logged.push(error) } }
  const app = await NestFactory.create<NestFastifyApplication>(AppModule, new FastifyAdapter(), { logger })
  t.teardown(async () => { await app.close() })
  await app.register(ifMatch, options)
  await prepare(app)
  return { app, logged }
}

async function ready (app: NestFastifyApplication): Promise<NestFastifyApplication> {
  await app.init()
  await app.getHttpAdapter().getInstance().ready()
  return app
}

async function orders (t: Test) {
  const app = await createApp(newStorage(t))
  app.useLogger(false)
  t.teardown(async () => { await app.close() })
  await ready(app)
  const put = async (headers: Record<string, string>, payload: object = wave) =>
    await app.inject({ method: 'PUT', url, headers, payload })
  const { headers } = await put({ 'if-none-match': '*' })
  return { app, put, etag: String(headers.etag) }
}

await t.test('a controller reads, replaces and removes its entity under the precondition: 200, 201, 204, 304', async (t) => {
  const { app, put, etag } = await orders(t)
  const read = await app.inject(url)
  t.strictSame([read.statusCode, read.headers.etag, read.json()], [200, etag, wave])
  t.equal((await app.inject({ url, headers: { 'if-none-match': etag } })).statusCode, 304)
  const replaced = await put({ 'if-match': etag }, { ...wave, note: null })
  t.strictSame([replaced.statusCode, replaced.json()], [200, { ...wave, note: null }])
  const headers = { 'if-match': String(replaced.headers.etag) }
  t.equal((await app.inject({ method: 'DELETE', url, headers })).statusCode, 204)
  t.equal((await put({ 'if-none-match': '*' })).statusCode, 201)
})

await t.test('a refusal has its status, its headers and its code, from ahead of the handler and from inside of it', async (t) => {
  const { app, put, etag } = await orders(t)
  const stale = await put({ 'if-match': '"stale"' })
  t.strictSame(
    [stale.statusCode, stale.headers.etag, stale.headers['cache-control'], stale.json<{ code: string }>().code],
    [412, etag, 'no-store', 'FST_IF_MATCH_PRECONDITION_FAILED']
  )
  const bare = await put({})
  t.match([bare.statusCode, bare.json()], [400, { code: 'FST_IF_MATCH_REQUIRED' }])
  const absent = await app.inject('/orders/8')
  t.match([absent.statusCode, absent.json()], [404, { code: 'FST_IF_MATCH_ENTITY_ABSENT' }])
  const twice = await put({ 'if-match': etag }, { ...wave, lines: [plum, plum] })
  t.match([twice.statusCode, twice.json()], [409, { code: 'FST_IF_MATCH_CONSTRAINT' }])
})

await t.test('a work of transaction() goes with its HttpException: the status of it, and nothing is stored', async (t) => {
  const { app, etag } = await orders(t)
  await app.inject({ method: 'PUT', url, headers: { 'if-match': etag }, payload: { ...wave, lines: [] } })
  const add = async (sku: string) => {
    const { headers } = await app.inject(url)
    return await app.inject({
      method: 'POST',
      url: `${url}/lines`,
      headers: { 'if-match': String(headers.etag) },
      payload: { ...plum, sku }
    })
  }
  const added = await add('plum')
  t.strictSame([added.statusCode, added.json()], [200, { ...wave, lines: [plum] }])
  t.equal((await app.inject(url)).headers.etag, added.headers.etag)
  t.equal((await add('fig')).statusCode, 200)
  const full = await add('pear')
  t.match([full.statusCode, full.json()], [409, { message: 'The order is full.' }])
  t.equal((await app.inject(url)).json<typeof wave>().lines.length, 2)
})

await t.test('without the filter status and headers are the same; the code is left out, and what a handler throws is logged as an error', async (t) => {
  const storage = newStorage(t)
  const { app, logged } = await newApp(t, OrdersController, { storage, precheck: false })
  await ready(app)
  const result = await storage.write(url, wave, ABSENT)
  const stale = await app.inject({ method: 'PUT', url, headers: { 'if-match': '"stale"' }, payload: wave })
  t.strictSame([stale.statusCode, stale.headers.etag], [412, `"${(result as { version: string }).version}"`])
  t.strictSame(Object.keys(stale.json<object>()), ['statusCode', 'message'])
  t.match(logged, [{ code: 'FST_IF_MATCH_PRECONDITION_FAILED' }])
})

await t.test('an error of 500 is logged by the filter, too', async (t) => {
  @Controller('orders')
  class Forgetful {
    @Put(':id')
    @RouteConfig({ ifMatch: true })
    replace (): object { return {} }
  }
  const { app, logged } = await newApp(t, Forgetful, { storage: memoryAdapter() }, (app) =>
    app.useGlobalFilters(new IfMatchFilter(app.getHttpAdapter())))
  await ready(app)
  const answer = await app.inject({ method: 'PUT', url, headers: { 'if-none-match': '*' }, payload: wave })
  t.match([answer.statusCode, answer.json()], [500, { code: 'FST_IF_MATCH_NOT_WRITTEN' }])
  t.match(logged, [{ code: 'FST_IF_MATCH_NOT_WRITTEN' }])
})

await t.test('an Error of the app with a statusCode is 500 in Nest; an HttpException has its status', async (t) => {
  @Controller('orders')
  class Refusing {
    @Put(':id')
    @RouteConfig({ ifMatch: true })
    async replace (@Req() request: FastifyRequest): Promise<unknown> {
      return (await request.entity().replace(() => {
        if (request.headers['x-throw'] === 'error') throw Object.assign(new Error('too dear'), { statusCode: 422 })
        throw new UnprocessableEntityException('too dear')
      })).value
    }
  }
  const { app } = await newApp(t, Refusing, { storage: memoryAdapter() }, (app) =>
    app.useGlobalFilters(new IfMatchFilter(app.getHttpAdapter())))
  await ready(app)
  const put = async (kind: string) =>
    (await app.inject({ method: 'PUT', url, headers: { 'if-none-match': '*', 'x-throw': kind } })).statusCode
  t.strictSame([await put('error'), await put('exception')], [500, 422])
})

await t.test('@RouteConfig of a class guards nothing: global does', async (t) => {
  @RouteConfig({ ifMatch: true })
  @Controller('orders')
  class Unguarded {
    @Put(':id')
    replace (): object { return { isWritten: true } }
  }
  const put = async (options: IfMatchOptions) => {
    const { app } = await newApp(t, Unguarded, options)
    await ready(app)
    return (await app.inject({ method: 'PUT', url, payload: wave })).statusCode
  }
  t.equal(await put({ storage: memoryAdapter() }), 200)
  t.equal(await put({ storage: memoryAdapter(), global: true }), 400)
})

await t.test('a misspelt word in @RouteConfig, which takes anything, is refused at boot', async (t) => {
  @Controller('orders')
  class Misspelt {
    @Put(':id')
    @RouteConfig({ ifmatch: true })
    replace (): object { return {} }
  }
  const { app } = await newApp(t, Misspelt, { storage: memoryAdapter() })
  await t.rejects(ready(app), { code: 'FST_IF_MATCH_INVALID_OPTIONS' })
})

await t.test('guards of Nest run behind the comparison: 412 with the tag comes ahead of 403, unless precheck is false. Middleware runs ahead of it', async (t) => {
  const storage = memoryAdapter()
  await storage.write(url, wave, ABSENT)
  const Nobody = { canActivate (): never { throw new ForbiddenException() } }
  @Controller('orders')
  @UseGuards(Nobody)
  class Guarded {
    @Put(':id')
    @RouteConfig({ ifMatch: true })
    async replace (@Req() request: FastifyRequest): Promise<unknown> {
      return (await request.entity().replace({})).value
    }
  }
  type Prepare = Parameters<typeof newApp>[3]
  const put = async (precheck: boolean, controller: Type = Guarded, prepare?: Prepare) => {
    const { app } = await newApp(t, controller, { storage, precheck }, prepare)
    await ready(app)
    const answer = await app.inject({ method: 'PUT', url, headers: { 'if-match': '"stale"' }, payload: {} })
    return [answer.statusCode, 'etag' in answer.headers]
  }
  t.strictSame(await put(true), [412, true])
  t.strictSame(await put(false), [403, false])
  const forbid = (): never => { throw new ForbiddenException() }
  t.strictSame(await put(true, OrdersController, (app) => app.use(forbid)), [403, false])
})

await t.test('a global prefix is a part of the key; a version by header is a constraint, so such a route names its key', async (t) => {
  const storage = memoryAdapter()
  const { app } = await newApp(t, OrdersController, { storage }, (app) => app.setGlobalPrefix('api'))
  await ready(app)
  await app.inject({ method: 'PUT', url: `/api${url}`, headers: { 'if-none-match': '*' }, payload: wave })
  t.match(await storage.read(`/api${url}`), { value: wave })

  const versioned = (config: object): Type => {
    @Controller('orders')
    class Versioned {
      @Get(':id')
      @Version('2')
      @RouteConfig({ ifMatch: config })
      async read (@Req() request: FastifyRequest): Promise<unknown> { return (await request.entity().read()).value }
    }
    return Versioned
  }
  const byHeader = (app: NestFastifyApplication): unknown =>
    app.enableVersioning({ type: VersioningType.HEADER, header: 'x-version' })
  const unnamed = await newApp(t, versioned({}), { storage }, byHeader)
  await t.rejects(ready(unnamed.app), { code: 'FST_IF_MATCH_INVALID_OPTIONS' })
  const named = await newApp(t, versioned({ key: '/api/orders/:id' }), { storage }, byHeader)
  await ready(named.app)
  t.equal((await named.app.inject({ url, headers: { 'x-version': '2' } })).statusCode, 200)
})

await t.test('a registration that comes behind init() guards nothing, and each guarded route says so: 500', async (t) => {
  class AppModule {}
  Module({ controllers: [OrdersController] })(AppModule)
  const app = await NestFactory.create<NestFastifyApplication>(AppModule, new FastifyAdapter(), { logger: false })
  t.teardown(async () => { await app.close() })
  await app.init()
  await app.register(ifMatch, { storage: newStorage(t) })
  await ready(app)
  const answer = await app.inject({ method: 'PUT', url, headers: { 'if-match': '*' }, payload: wave })
  t.match([answer.statusCode, answer.json()], [500, { message: /PUT \/orders\/:id is not guarded/ }])
})
