import t, { type Test } from 'tap'                        // or the test and the assertions that you use
import { errorCodes } from 'fastify-if-match'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { buildApp, type Offer } from './app.js'

const wave: Offer = { title: 'Wave', price: 19 }
const other: Offer = { title: 'by somebody else', price: 20 }

/** The app with one offer, and a storage into whose next write the test can step. */
async function setUp (t: Test) {
  const nextWrite: { before?: () => unknown, after?: () => unknown } = {}
  const storage = memoryAdapter<Offer>({
    async around (step, operation) {
      if (operation !== 'write') return step()
      const { before, after } = nextWrite
      delete nextWrite.before
      delete nextWrite.after
      await before?.()
      const result = step()
      await after?.()
      return result
    }
  })
  await storage.write('/offers/1', wave, { kind: 'absent' })               // the seed goes past the app
  const app = await buildApp(storage)
  t.teardown(() => app.close())
  const write = async (url: string, tag: string, payload?: Offer) =>
    await app.inject({ method: payload ? 'PUT' : 'POST', url, headers: { 'if-match': tag }, ...payload && { payload } })
  return {
    nextWrite,
    write,
    tag: String((await app.inject('/offers/1')).headers.etag),              // what a client read
    value: async () => (await storage.read('/offers/1'))?.value,
    writeAsOther: async () => await storage.write('/offers/1', other, { kind: 'any' })
  }
}

await t.test('a write under the tag that was read is applied, and its answer has the next tag', async (t) => {
  const { write, tag } = await setUp(t)
  const first = await write('/offers/1', tag, { ...wave, price: 21 })
  t.equal(first.statusCode, 200)
  t.equal((await write('/offers/1', String(first.headers.etag), { ...wave, price: 22 })).statusCode, 200)
})

await t.test('a writer between GET and PUT: 412, and what that one wrote stays', async (t) => {
  const { write, tag, value, writeAsOther } = await setUp(t)
  await writeAsOther()
  const refused = await write('/offers/1', tag, { ...wave, price: 21 })
  t.equal(refused.statusCode, 412)
  t.not(refused.headers.etag, tag, 'the tag to read again')
  t.same(await value(), other)
})

await t.test('a writer between the comparison of the app and its write: 412 too', async (t) => {
  const { nextWrite, write, tag, value, writeAsOther } = await setUp(t)
  nextWrite.before = writeAsOther
  t.equal((await write('/offers/1', tag, { ...wave, price: 21 })).statusCode, 412)
  t.same(await value(), other)
})

await t.test('the same under If-Match: *: the function of the update runs again, on what that one wrote', async (t) => {
  const { nextWrite, write, value, writeAsOther } = await setUp(t)
  nextWrite.before = writeAsOther
  t.equal((await write('/offers/1/raise', '*')).statusCode, 200)
  t.same(await value(), { ...other, price: 21 })
})

await t.test('an outage: 503 with Retry-After, and nothing is written', async (t) => {
  const { nextWrite, write, tag, value } = await setUp(t)
  nextWrite.before = () => { throw new errorCodes.FST_IF_MATCH_STORAGE_UNAVAILABLE() }
  const failed = await write('/offers/1', tag, { ...wave, price: 21 })
  t.same([failed.statusCode, failed.headers['retry-after']], [503, '1'])
  t.same(await value(), wave)
})

await t.test('a lost answer: 503 without Retry-After, and the write may be there', async (t) => {
  const { nextWrite, write, tag, value } = await setUp(t)
  nextWrite.after = () => { throw new errorCodes.FST_IF_MATCH_OUTCOME_UNKNOWN() }
  const failed = await write('/offers/1', tag, { ...wave, price: 21 })
  t.same([failed.statusCode, failed.headers['retry-after']], [503, undefined])
  t.equal(failed.json().code, 'FST_IF_MATCH_OUTCOME_UNKNOWN')
  t.same(await value(), { ...wave, price: 21 })
})
