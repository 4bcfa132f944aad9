import t from 'tap'
import { parseTokens } from '../../../example/app/tokens.js'
import { codeOf, newApp, OFFER, offersUrl, send } from '../../support/example/app.js'
import { countingStorage } from '../../support/example/storage.js'

await t.test('no token, another scheme, or an unknown token: 401 with a challenge, and the storage is not asked', async (t) => {
  const { storage, calls } = await countingStorage(t)
  const app = await newApp(t, { storage })
  for (const authorization of [
    undefined,
    '',
    'contoso-token',
    'Basic contoso-token',
    'Bearer',
    'Bearer ',
    'Bearer contoso-toke',
    'Bearer contoso-token2',
    'Bearer a contoso-token',
    'Bearer CONTOSO-TOKEN'
  ]) {
    for (const method of ['GET', 'PUT'] as const) {
      const body = method === 'PUT' ? OFFER : undefined
      const response = await send(app, method, offersUrl('/tide-db'), { authorization, 'if-match': '*' }, body)
      t.equal(response.statusCode, 401, `${method} ${authorization}`)
      t.equal(response.headers['www-authenticate'], 'Bearer')
      t.equal(codeOf(t, response), 'Unauthorized')
    }
  }
  t.strictSame(calls, [])
})

await t.test('the scheme is a word in any case (RFC 9110 11.1)', async (t) => {
  const app = await newApp(t)
  t.equal((await send(app, 'GET', offersUrl(), { authorization: 'bearer contoso-token' })).statusCode, 200)
})

await t.test('another publisher, and one that does not exist: the same 403, and the storage is not asked', async (t) => {
  const { storage, calls } = await countingStorage(t)
  const app = await newApp(t, { storage })
  const bodies = new Set<string>()
  for (const publisher of ['fabrikam', 'nobody', 'Contoso', 'contoso%2Foffers', 'x'.repeat(200)]) {
    for (const [method, path] of [
      ['GET', ''],
      ['GET', '/tide-db'],
      ['HEAD', '/tide-db'],
      ['PUT', '/tide-db']
    ] as const) {
      const url = `/api/publishers/${publisher}/offers${path}?api-version=2017-10-31`
      const response = await send(app, method, url, { 'if-match': '*' }, method === 'PUT' ? OFFER : undefined)
      t.equal(response.statusCode, 403, `${method} ${publisher}${path}`)
      if (method === 'HEAD') continue
      t.equal(codeOf(t, response), 'Forbidden')
      bodies.add(response.body)
    }
  }
  t.equal(bodies.size, 1)
  t.strictSame(calls, [])
})

await t.test('both roles read and edit; a token may have several publishers', async (t) => {
  const app = await newApp(t, { tokens: parseTokens('agency=contoso:owner+fabrikam:contributor') })
  for (const publisher of ['contoso', 'fabrikam']) {
    const url = `/api/publishers/${publisher}/offers/tide-db?api-version=2017-10-31`
    t.equal((await send(app, 'PUT', url, { authorization: 'Bearer agency', 'if-match': '*' }, OFFER)).statusCode, 201)
    t.equal((await send(app, 'GET', url, { authorization: 'Bearer agency' })).json().publisherId, publisher)
  }
})
