import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { buildApp } from '../../example/app.js'
import { DEVELOPMENT_TOKENS, parseTokens } from '../../example/tokens.js'
import { app } from './readme-example.js'

const readme = readFileSync('README.md', 'utf8')

function block (language: string, containing: string): string {
  const found = readme.split('```').find((part) => part.startsWith(`${language}\n`) && part.includes(containing))
  if (found === undefined) throw new Error(`the README has no ${language} block with ${containing}`)
  return found.slice(language.length + 1)
}

await t.test('README: the example is the file that is type-checked here, and it does what it says', async (t) => {
  t.teardown(async () => { await app.close() })
  t.equal(readFileSync('test/docs/readme-example.ts', 'utf8'), `${block('ts', 'app.register')}\nexport { app }\n`)
  const put = async (headers: Record<string, string>, payload: object) => await app.inject({ method: 'PUT', url: '/offers/1', headers, payload })
  const created = await put({ 'if-none-match': '*' }, { title: 'a', price: 1 })
  t.equal(created.statusCode, 201)
  const etag = created.headers.etag as string
  t.equal((await app.inject({ url: '/offers/1', headers: { 'if-none-match': etag } })).statusCode, 304)
  t.equal((await app.inject('/offers/2')).statusCode, 404)
  t.same((await app.inject({ method: 'PATCH', url: '/offers/1', headers: { 'if-match': etag }, payload: { price: 2 } })).json(), { title: 'a', price: 2 })
  t.equal((await put({ 'if-match': etag }, { title: 'b', price: 3 })).statusCode, 412)
  t.equal((await put({}, { title: 'b', price: 3 })).statusCode, 400)
  t.equal((await put({ 'if-match': '*' }, { title: 'b', price: 3 })).statusCode, 200)
  t.equal((await app.inject({ method: 'DELETE', url: '/offers/1', headers: { 'if-match': '*' } })).statusCode, 204)
})

// Tags are random: what counts is which of them are the same.
function withTagsNumbered (output: string): string {
  const tags: string[] = []
  return output.replace(/"[^"]+"/g, (tag) => {
    if (!tags.includes(tag)) tags.push(tag)
    return `"tag ${tags.indexOf(tag)}"`
  })
}

await t.test('README: the terminal session prints what it says', async (t) => {
  const server = await buildApp({ storage: memoryAdapter(), tokens: parseTokens(DEVELOPMENT_TOKENS) })
  t.teardown(async () => { await server.close() })
  const url = await server.listen({ host: '127.0.0.1', port: 0 })
  const lines = block('console', 'call()').trimEnd().split('\n')
  const isCommand = (line: string): boolean => line.startsWith('$ ') || line.startsWith('  ')
  const script = lines.filter(isCommand).map((line) => line.replace(/^\$ /, '')).join('\n').replaceAll('http://127.0.0.1:3000', url)
  const shell = spawn('bash', ['-eu'], { stdio: ['pipe', 'pipe', 'inherit'] })
  shell.stdin.end(script)
  const [output] = await Promise.all([text(shell.stdout), once(shell, 'exit')])
  const printed = lines.filter((line) => !isCommand(line)).join('\n')
  t.equal(withTagsNumbered(output).replace(/ +$/gm, '').trimEnd(), withTagsNumbered(printed))
})
