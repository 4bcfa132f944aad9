import { createHash } from 'node:crypto'
import t from 'tap'
import { PAGE_POLICY } from '../../../example/desk/document.js'
import { DEVELOPMENT_TOKENS, parseTokens } from '../../../example/app/tokens.js'
import { newApp } from '../../support/example/app.js'

await t.test('desk: the page is served at /, with and without a query, needs no token, and is asked for again each time', async (t) => {
  const app = await newApp(t)
  for (const [method, url] of [['GET', '/'], ['HEAD', '/'], ['GET', '/?a=b']] as const) {
    const { statusCode, headers } = await app.inject({ method, url })
    t.match([statusCode, headers], [200, {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': PAGE_POLICY,
      'cache-control': 'no-cache',
      'x-frame-options': 'DENY'
    }])
  }
})

await t.test('desk: the policy allows its own files and the import map by its hash, and nothing of another host', async (t) => {
  const { body } = await (await newApp(t)).inject('/')
  const inline = [...body.matchAll(/<script(?![^>]* src=)[^>]*>([^<]*)</g)].map(([, text]) => text!)
  t.equal(inline.length, 1)
  t.match(PAGE_POLICY, `'sha256-${createHash('sha256').update(inline[0]!).digest('base64')}'`)
  t.notMatch(PAGE_POLICY, /unsafe|http|\*|data:/)
  t.match(PAGE_POLICY, /^default-src 'none';.*require-trusted-types-for 'script'/)
  t.notMatch(body, /https?:|<style| on[a-z]+=/)
})

await t.test('desk: every file that the page names is there, with its type, and an unchanged one costs a 304', async (t) => {
  const app = await newApp(t)
  const { body } = await app.inject('/')
  const named = [...body.matchAll(/(?:href|src)="(\/desk\/[^"]+)"/g)].map(([, address]) => address!)
  const { imports } = JSON.parse(/importmap">([^<]*)</.exec(body)![1]!) as { imports: Record<string, string> }
  const packages = Object.values(imports).filter((address) => !address.endsWith('/'))
  const languages = ['en', 'de', 'id', 'sv'].map((tag) => `/desk/messages/${tag}.js`)
  t.ok(named.length > 20)
  t.notOk(named.some((address) => languages.includes(address)), 'a visit loads one language')
  for (const url of [...named, ...packages, ...languages, '/desk/packages/lit-html/directives/live.js']) {
    const { statusCode, headers } = await app.inject(url)
    t.equal(statusCode, 200, url)
    const type = /\.m?js$/.test(url) ? /^(text|application)\/javascript/ : /^(text\/css|image\/svg\+xml)/
    t.match(headers['content-type'], type, url)
    const again = await app.inject({ url, headers: { 'if-none-match': String(headers.etag) } })
    t.equal(again.statusCode, 304, url)
  }
  for (const path of [
    '/nowhere.js', '/tsconfig.json', '/main.ts', '/main.js.map', '/../index.js', '/%2e%2e/index.js',
    '/packages/lit-html/package.json'
  ]) t.equal((await app.inject(`/desk${path}`)).statusCode, 404, path)
})

await t.test('desk: the folder of its files leads to the page', async (t) => {
  const app = await newApp(t)
  for (const url of ['/desk', '/desk/']) {
    const { statusCode, headers } = await app.inject(url)
    t.strictSame([statusCode, headers.location], [302, '/'], url)
  }
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
