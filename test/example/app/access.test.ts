import { readFileSync } from 'node:fs'
import type { FastifyInstance, InjectOptions } from 'fastify'
import t, { type Test } from 'tap'
import { codeOf, newApp, offersUrl, OFFER, send } from '../../support/example/app.js'
import { countingStorage } from '../../support/example/storage.js'

type Method = NonNullable<InjectOptions['method']>
interface Route { method: Method, url: string }

const VERSION = 'api-version=2017-10-31'

/** Whether a route needs no token: that of the state of the server, those of its description and of its page. */
function isOpen ({ url }: Route): boolean {
  return url === '/' || url === '/health' || /^\/(docs|desk)(?![^/*])/.test(url)
}

/**
 * All routes of an app, from the tree that its router prints: a line with methods is a route, and its path is that of
 * the line behind those of the lines above. So no route can be forgotten here.
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

/** The body that a request to a route has. */
function bodyOf ({ method }: Route): object | undefined {
  return method === 'PUT' ? OFFER : undefined
}

async function countedApp (t: Test) {
  const { storage, calls } = await countingStorage(t)
  const app = await newApp(t, { storage })
  await app.ready()
  await send(app, 'PUT', offersUrl('/tide-db'), { 'if-match': '*' }, OFFER)
  calls.length = 0
  const routes = routesOf(app).filter((route) => !isOpen(route))
  const ask = async (route: Route, publisherId: string, query: string, headers: Record<string, string | undefined>) => {
    const address = `${addressOf(route, publisherId)}?${query}`
    return await send(app, route.method, address, { 'if-match': '*', ...headers }, bodyOf(route))
  }
  return { app, routes, ask, calls }
}

/** Asserts that an answer is this refusal. HEAD has no body that could tell its code. */
function assertRefusal (
  t: Test,
  response: Awaited<ReturnType<typeof send>>,
  { method, url }: Route,
  [status, code]: [number, string],
  name: string
): void {
  const told = method === 'HEAD' ? code : codeOf(t, response)
  t.strictSame([response.statusCode, told], [status, code], `${method} ${url} ${name}`)
}

await t.test('the routes of the app are those of the page of the offers API, each GET with its HEAD', async (t) => {
  const { routes } = await countedApp(t)
  const page = readFileSync('docs/reference/offers-api.md', 'utf8')
  const listed = [...page.matchAll(/^\| `(GET|PUT|POST) ([^ `]+)` \|/gm)].map(([, method, path]) => {
    const url = path!.replace('…', '/api/publishers/{publisherId}/offers').replaceAll(/\{(\w+)\}/g, ':$1')
    return `${method} ${url}`
  })
  t.equal(listed.length, 14)
  const heads = listed.filter((route) => route.startsWith('GET')).map((route) => route.replace('GET', 'HEAD'))
  const unslashed = routes.map(({ method, url }) => `${method} ${url.replace(/\/$/, '')}`)
  t.strictSame([...new Set(unslashed)].sort(), [...listed, ...heads].sort())
})

await t.test('no route answers, or asks the storage, without a token or with a wrong one', async (t) => {
  const { routes, ask, calls } = await countedApp(t)
  for (const route of routes) {
    for (const publisherId of ['contoso', 'nobody']) {
      for (const authorization of [undefined, 'Bearer wrong', 'Basic contoso-token']) {
        for (const query of [VERSION, '']) {
          const response = await ask(route, publisherId, query, { authorization })
          assertRefusal(t, response, route, [401, 'Unauthorized'], `${publisherId} ${authorization}`)
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
      const response = await ask(route, publisherId, VERSION, { authorization })
      assertRefusal(t, response, route, [403, 'Forbidden'], publisherId)
    }
  }
  t.strictSame(calls, [])
})

await t.test('each route refuses a missing and a wrong version of the API, and does not ask the storage', async (t) => {
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
      assertRefusal(t, await ask(route, 'contoso', query, {}), route, [400, 'InvalidAPIVersion'], query)
    }
  }
  t.strictSame(calls, [])
})

await t.test('each route answers alike with and without a slash at its end, and asks the storage once it may', async (t) => {
  const { app, routes, calls } = await countedApp(t)
  for (const route of routes) {
    const seen = await Promise.all(['', '/'].map(async (slash) => {
      const address = addressOf(route, 'contoso').replace(/\/$/, '')
      const { statusCode, body } = await send(app, route.method, `${address}${slash}?${VERSION}`, {}, bodyOf(route))
      return [statusCode, body]
    }))
    t.strictSame(seen[0], seen[1], `${route.method} ${route.url}`)
    t.notMatch(seen[0]![1], /RouteNotFound/)
  }
  t.ok(calls.length > 0, 'the storage counts its calls')
})

await t.test('routes that need no token are read only, and ask the storage for nothing but its health', async (t) => {
  const { app, calls } = await countedApp(t)
  for (const route of routesOf(app).filter(isOpen)) {
    t.ok(['GET', 'HEAD'].includes(route.method), `${route.method} ${route.url}`)
    await app.inject({ method: route.method, url: route.url })
  }
  t.strictSame([...new Set(calls)], ['read /health'])
})
