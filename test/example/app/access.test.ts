import type { FastifyInstance, InjectOptions } from 'fastify'
import t, { type Test } from 'tap'
import { buildApp } from '../../../example/app/index.js'
import { parseTokens } from '../../../example/app/tokens.js'
import { codeOf, offersUrl, OFFER, send } from '../../support/example/app.js'
import { countingStorage } from '../../support/example/storage.js'

type Method = NonNullable<InjectOptions['method']>
interface Route { method: Method, url: string }

const VERSION = 'api-version=2017-10-31'

/** Whether a route needs no token: the state of the server, and its description. */
function isOpen ({ url }: Route): boolean {
  return url === '/health' || /^\/docs(?![^/*])/.test(url)
}

/**
 * All routes of an app, as its router has them: each line of its tree ends in the methods of what the line and those
 * above it spell. None can be forgotten here.
 */
function routesOf (app: FastifyInstance): Route[] {
  const routes: Route[] = []
  const above: string[] = []
  for (const line of app.printRoutes({ commonPrefix: false }).split('\n')) {
    const [, indent, path, methods] = /^([│ ]*[├└]── )(\S*)(?: \(([A-Z, ]+)\))?$/.exec(line) ?? []
    if (indent === undefined) continue
    const depth = indent.length / 4 - 1
    above.splice(depth, above.length, path!)
    for (const method of methods?.split(', ') ?? []) routes.push({ method: method as Method, url: above.join('') })
  }
  return routes
}

/** The address of a route with these in the places of its parameters. */
function addressOf ({ url }: Route, publisherId: string): string {
  const values: Record<string, string> = {
    publisherId,
    offerId: 'tide-db',
    version: '1',
    slotId: 'draft',
    operationId: 'x',
    compositeId: `${publisherId}$tide-db$1$preview`
  }
  return url.replace(/:(\w+)/g, (_, name: string) => values[name]!)
}

async function countedApp (t: Test) {
  const { storage, calls } = await countingStorage(t)
  const app = await buildApp({
    storage,
    tokens: parseTokens('contoso-token=contoso:owner,fabrikam-token=fabrikam:contributor')
  })
  t.teardown(async () => { await app.close() })
  await app.ready()
  await send(app, 'PUT', offersUrl('/tide-db'), { 'if-match': '*' }, OFFER)
  calls.length = 0
  const routes = routesOf(app).filter((route) => !isOpen(route))
  const ask = async (route: Route, publisherId: string, query: string, headers: Record<string, string | undefined>) => {
    const payload = route.method === 'PUT' ? OFFER : undefined
    return await send(
      app,
      route.method,
      `${addressOf(route, publisherId)}?${query}`,
      { 'if-match': '*', ...headers },
      payload
    )
  }
  return { app, routes, ask, calls }
}

/** That an answer is this refusal. HEAD has no body to tell its code. */
function isRefusal (
  t: Test,
  response: Awaited<ReturnType<typeof send>>,
  method: Method,
  expected: [number, string],
  name: string
): void {
  t.strictSame([response.statusCode, method === 'HEAD' ? expected[1] : codeOf(t, response)], expected, name)
}

await t.test('the routes of the app are those of CPP §3, each GET with its HEAD', async (t) => {
  const { routes } = await countedApp(t)
  const P = '/api/publishers/:publisherId/offers'
  const O = `${P}/:offerId`
  const gets = [
    P,
    O,
    `${O}/versions/:version`,
    `${O}/slot/:slotId`,
    `${O}/status`,
    `${O}/submissions`,
    `${O}/operations/:operationId`,
    '/api/operations/:compositeId',
    '/api/publishers',
    '/api/offerTypes'
  ]
  const expected = [
    ...gets.flatMap((url) => [`GET ${url}`, `HEAD ${url}`]),
    `PUT ${O}`,
    ...['publish', 'golive', 'cancel'].map((action) => `POST ${O}/${action}`)
  ]
  const unslashed = routes.map(({ method, url }) => `${method} ${url.replace(/\/$/, '')}`)
  t.strictSame([...new Set(unslashed)].sort(), expected.sort())
})

await t.test('no route answers, or asks the storage, without a token, or with one that is wrong', async (t) => {
  const { routes, ask, calls } = await countedApp(t)
  for (const route of routes) {
    for (const publisherId of ['contoso', 'nobody']) {
      for (const authorization of [undefined, 'Bearer wrong', 'Basic contoso-token']) {
        for (const query of [VERSION, '']) {
          const response = await ask(route, publisherId, query, { authorization })
          isRefusal(
            t,
            response,
            route.method,
            [401, 'Unauthorized'],
            `${route.method} ${route.url} ${publisherId} ${authorization}`
          )
          t.equal(response.headers['www-authenticate'], 'Bearer')
        }
      }
    }
  }
  t.strictSame(calls, [])
})

await t.test('no route of a publisher answers, or asks the storage, with the token of another', async (t) => {
  const { routes, ask, calls } = await countedApp(t)
  const owned = routes.filter(({ url }) => /:(publisherId|compositeId)/.test(url))
  t.equal(owned.length, routes.length - 4, 'all but publishers and offerTypes')
  for (const route of owned) {
    for (const [publisherId, authorization] of [
      ['contoso', 'Bearer fabrikam-token'],
      ['fabrikam', 'Bearer contoso-token'],
      ['nobody', 'Bearer contoso-token'],
      ['CONTOSO', 'Bearer contoso-token'],
      ['__proto__', 'Bearer contoso-token'],
      ['contoso%20', 'Bearer contoso-token']
    ] as const) {
      isRefusal(
        t,
        await ask(route, publisherId, VERSION, { authorization }),
        route.method,
        [403, 'Forbidden'],
        `${route.method} ${route.url} ${publisherId}`
      )
    }
  }
  t.strictSame(calls, [])
})

await t.test('each route refuses a missing and a wrong version of the API, and asks the storage for neither', async (t) => {
  const { routes, ask, calls } = await countedApp(t)
  for (const route of routes) {
    for (const query of [
      '',
      'api-version=',
      'api-version=2017-10-31%20',
      'api-version=1999-01-01',
      `${VERSION}&${VERSION}`,
      'api-version[]=2017-10-31',
      'Api-Version=2017-10-31'
    ]) {
      isRefusal(
        t,
        await ask(route, 'contoso', query, {}),
        route.method,
        [400, 'InvalidAPIVersion'],
        `${route.method} ${route.url} ${query}`
      )
    }
  }
  t.strictSame(calls, [])
})

await t.test('each route is there with and without a slash at its end, and asks the storage once it may', async (t) => {
  const { app, routes, calls } = await countedApp(t)
  for (const route of routes) {
    const seen = await Promise.all(['', '/'].map(async (slash) => {
      const address = addressOf(route, 'contoso').replace(/\/$/, '')
      const { statusCode, body } = await send(
        app,
        route.method,
        `${address}${slash}?${VERSION}`,
        {},
        route.method === 'PUT' ? OFFER : undefined
      )
      return [statusCode, body]
    }))
    t.strictSame(seen[0], seen[1], `${route.method} ${route.url}`)
    t.notMatch(seen[0]![1], /RouteNotFound/)
  }
  t.ok(calls.length > 0, 'so the counter counts')
})

await t.test('what needs no token is read only, and asks the storage at most whether it is there', async (t) => {
  const { app, calls } = await countedApp(t)
  for (const route of routesOf(app).filter(isOpen)) {
    t.ok(['GET', 'HEAD'].includes(route.method), `${route.method} ${route.url}`)
    await app.inject({ method: route.method, url: route.url })
  }
  t.strictSame([...new Set(calls)], ['read /health'])
})
