import { createHash } from 'node:crypto'
import t from 'tap'
import { DEVELOPMENT_TOKENS, parseTokens } from '../../../example/app/tokens.js'
import { newApp } from '../../support/example/app.js'

await t.test('desk: the page is served at /, with and without a query, needs no token, and is asked for again each time', async (t) => {
  const app = await newApp(t)
  for (const [method, url] of [['GET', '/'], ['HEAD', '/'], ['GET', '/?a=b']] as const) {
    const { statusCode, headers } = await app.inject({ method, url })
    t.match([statusCode, headers], [200, {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': /^default-src 'none';.*require-trusted-types-for 'script'/,
      'cache-control': 'no-cache',
      'x-frame-options': 'DENY'
    }])
  }
})

await t.test('desk: the policy allows its own files and the import map by its hash, and nothing of another host', async (t) => {
  const { body, headers } = await (await newApp(t)).inject('/')
  const policy = String(headers['content-security-policy'])
  const inline = [...body.matchAll(/<script(?![^>]* src=)[^>]*>([^<]*)</g)].map(([, text]) => text!)
  t.equal(inline.length, 1)
  t.match(policy, `'sha256-${createHash('sha256').update(inline[0]!).digest('base64')}'`)
  t.notMatch(policy, /unsafe|http|\*|data:/)
  t.notMatch(body, /https?:|<style| on[a-z]+=/)
})

await t.test('desk: every file that the page names is there, with its type, and browsers keep it for good, because its address has a digest of all (RFC 9111 5.2.2.1, RFC 8246)', async (t) => {
  const app = await newApp(t)
  const { body } = await app.inject('/')
  const named = [...body.matchAll(/(?:href|src)="(desk\/[^"]+)"/g)].map(([, address]) => `/${address!}`)
  const [folder] = /^\/desk\/[0-9a-f]{12}/.exec(named[0]!)!
  const { imports } = JSON.parse(/importmap">([^<]*)</.exec(body)![1]!) as { imports: Record<string, string> }
  const packages = Object.values(imports).map((address) => address.slice(1)).filter((address) => !address.endsWith('/'))
  const languages = ['en', 'de', 'id', 'sv'].map((tag) => `${folder}/messages/${tag}.js`)
  t.ok(named.length > 20)
  t.notOk(named.some((address) => languages.includes(address)), 'a visit loads one language')
  for (const url of [...named, ...packages, ...languages, `${folder}/packages/lit-html/directives/live.js`]) {
    const { statusCode, headers } = await app.inject(url)
    t.equal(statusCode, 200, url)
    const type = /\.m?js$/.test(url) ? /^(text|application)\/javascript/ : /^(text\/css|image\/svg\+xml)/
    t.match(headers['content-type'], type, url)
    t.equal(headers['cache-control'], 'public, max-age=31536000, immutable', url)
    const again = await app.inject({ url, headers: { 'if-none-match': String(headers.etag) } })
    t.equal(again.statusCode, 304, url)
  }
  for (const path of [
    '/nowhere.js', '/tsconfig.json', '/main.ts', '/main.js.map', '/../index.js', '/%2e%2e/index.js',
    '/packages/lit-html/package.json'
  ]) {
    const { statusCode, headers } = await app.inject(folder + path)
    t.strictSame([statusCode, headers['cache-control']], [404, 'no-cache'], path)
  }
  t.equal((await app.inject('/desk/000000000000/main.js')).statusCode, 404, 'of another version, which is not this one')
})

await t.test('desk: the folder of its files leads to the page', async (t) => {
  const app = await newApp(t)
  for (const url of ['/desk', '/desk/', '/desk?a=b/', '/desk/?a=b', '/%64esk/']) {
    const { statusCode, headers } = await app.inject(url)
    const location = new URL(String(headers.location), new URL(url, 'http://x/')).pathname
    t.strictSame([statusCode, location], [302, '/'], url)
  }
})

await t.test('desk: all addresses of the page are relative, so that a proxy may serve it below a prefix (RFC 3986 5.2)', async (t) => {
  const { body } = await (await newApp(t)).inject('/')
  t.notMatch(body, /(?:href|src)="\/|":"\//)
})

await t.test('desk: the page names the development tokens that are in use, and no other token', async (t) => {
  const bodyWith = async (tokens: string): Promise<string> =>
    (await (await newApp(t, { tokens: parseTokens(tokens) })).inject('/')).body
  const contoso = '[{&quot;secret&quot;:&quot;dev-contoso&quot;,&quot;publishers&quot;:[&quot;contoso&quot;]}'
  t.match(await bodyWith(DEVELOPMENT_TOKENS), contoso)
  const mixed = await bodyWith('hush=wingtip:owner,dev-contoso=contoso:owner')
  t.match(mixed, /dev-contoso/)
  for (const body of [mixed, await bodyWith('hush=contoso:owner')]) t.notMatch(body, /hush/)
})
