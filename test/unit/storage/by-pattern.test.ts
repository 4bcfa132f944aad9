import t from 'tap'
import { conformanceSuite } from 'fastify-if-match/conformance'
import { StorageUnavailableError } from '../../../lib/errors.js'
import type { ListOptions, Page, StorageAdapter } from '../../../lib/storage/adapter.js'
import { storageByPattern } from '../../../lib/storage/by-pattern.js'
import { memoryAdapter } from '../../../lib/storage/memory.js'
import { ANY, EXISTS } from '../../support/expectations.js'

const INVALID_OPTIONS = { code: 'FST_IF_MATCH_INVALID_OPTIONS', statusCode: 500 }
const INVALID_KEY = { code: 'FST_IF_MATCH_INVALID_KEY', statusCode: 400 }

await conformanceSuite({
  test: (title, run) => t.test(title, run),
  async createAdapter () {
    let isCut = false
    const memory = (): StorageAdapter => memoryAdapter({
      around (step) {
        if (isCut) throw new StorageUnavailableError()
        return step()
      }
    })
    return {
      adapter: storageByPattern({ '*': memory(), 'notes/:id': memory(), 'notes/b': memory(), ':id(^a)': memory() }),
      async cut () {
        isCut = true
        return async () => { isCut = false }
      }
    }
  },
  another: false
})

/** An adapter that tells what it was called with, in `calls`. */
function told (name: string, calls: unknown[][], parts: Partial<StorageAdapter> = {}): StorageAdapter {
  const tell = (operation: string) => async (...args: unknown[]): Promise<never> => {
    calls.push([name, operation, ...args])
    return { name } as never
  }
  return { read: tell('read'), write: tell('write'), remove: tell('remove'), ...parts }
}

await t.test('storageByPattern: each key goes to the adapter of its pattern, with the very context and options', async (t) => {
  const calls: unknown[][] = []
  const work = async (): Promise<void> => {}
  const transaction = async (...args: unknown[]): Promise<never> => {
    calls.push(['orders', 'transaction', ...args])
    return { applied: true } as never
  }
  const orders = told('orders', calls, { transaction })
  const stock = told('stock', calls)
  const storage = storageByPattern({ '/orders/:id': orders, '/stock/:id': stock, '/orders/latest': stock })
  const options = { context: { client: 1 }, digest: 'd', get signal (): never { throw new Error('it was copied') } }
  t.strictSame(await storage.read('/orders/1', options), { name: 'orders' })
  await storage.write('/stock/1', { a: 1 }, ANY, options)
  await storage.remove('/orders/latest', EXISTS, options)
  t.strictSame(await storage.transaction!('/orders/2', ANY, work, options), { applied: true })
  t.match(calls.map((call) => call.slice(0, 3)), [
    ['orders', 'read', '/orders/1'], ['stock', 'write', '/stock/1'], ['stock', 'remove', '/orders/latest'],
    ['orders', 'transaction', '/orders/2']
  ])
  for (const call of calls) t.equal(call.at(-1), options, 'the same object')
  await t.rejects(storage.transaction!('/stock/1', ANY, work), {
    ...INVALID_OPTIONS, message: /the adapter of "\/stock\/:id" cannot run transactions/
  })
  t.equal(calls.length, 4)
  t.equal(storageByPattern({ '/stock/:id': stock }).transaction, undefined)
})

await t.test('storageByPattern: methods of a class keep their this', async (t) => {
  class Own {
    #value = 7
    async read (): Promise<never> { return { value: this.#value, version: 'a' } as never }
    async write (): Promise<never> { return this.#value as never }
    async remove (): Promise<never> { return this.#value as never }
    async list (): Promise<Page> { return { items: [{ key: 'a', value: this.#value, version: 'a' }] } }
    async transaction (): Promise<never> { return this.#value as never }
    async open (): Promise<void> { this.#value++ }
    async close (): Promise<void> { this.#value++ }
  }
  const storage = storageByPattern({ ':id': new Own() })
  await storage.open!()
  await storage.close!()
  t.match(await storage.read('a'), { value: 9 })
  t.same([await storage.write('a', 1, ANY), await storage.remove('a', EXISTS)], [9, 9])
  t.match((await storage.list!('')).items, [{ value: 9 }])
  t.same(await storage.transaction!('a', ANY, async () => {}), 9)
})

await t.test('storageByPattern: a key that no pattern fits is a mistake of the app, 500; one that no adapter takes is 400', async (t) => {
  const orders = memoryAdapter()
  const storage = storageByPattern({ '/orders/:id': orders, '/stock/:id': memoryAdapter() })
  const message = /key of the entity fits none of its patterns, "\/orders\/:id", "\/stock\/:id"/
  for (const key of ['/bundles/1', '/orders', '/orders/1/lines', 'orders/1', '/orders/a/b']) {
    await t.rejects(storage.read(key), { ...INVALID_OPTIONS, message }, key)
    await t.rejects(storage.write(key, 1, ANY), { ...INVALID_OPTIONS, message })
    await t.rejects(storage.remove(key, EXISTS), { ...INVALID_OPTIONS, message })
  }
  for (const key of ['', '/bundles/\0', '\ud800', 'x'.repeat(2000), undefined, 7]) {
    await t.rejects(storage.read(key as string), INVALID_KEY, JSON.stringify(key))
  }
  // What a client can send is for the adapter to refuse, which knows its ids.
  for (const key of ['/orders/', '/orders/%2f', '/orders/%']) t.equal(await storage.read(key), undefined, key)
})

await t.test('storageByPattern: list asks the adapters that can have such keys, and merges their pages in order', async (t) => {
  const asked: string[] = []
  const listing = (name: string) => memoryAdapter({
    around (step, operation) {
      if (operation === 'list') asked.push(name)
      return step()
    }
  })
  const lines = listing('lines')
  const storage = storageByPattern({
    '/a/:id': listing('a'), '/a/:id/lines/:line': lines, '/a/:id/notes/:note': lines, '/b/:id': listing('b')
  })
  const keys = [
    '/a/1', '/a/1/lines/1', '/a/1/lines/2', '/a/1/notes/1', '/a/2', '/a/2/lines/1', '/a/\uffff',
    '/a/\u{10000}/lines/1', '/b/1'
  ]
  for (const key of keys) await storage.write(key, key, ANY)
  for (const limit of [1, 2, 3, 4, 5, 9, 100]) {
    for (const prefix of ['', '/', '/a', '/a/', '/a/1', '/a/1/', '/a/1/lines/', '/b/', '/b/1', '/b/2']) {
      const found: string[] = []
      let after: string | undefined
      do {
        const page: Page = await storage.list!(prefix, { limit, after })
        t.ok(page.items.length <= limit)
        found.push(...page.items.map(({ key }) => key))
        after = page.next
      } while (after !== undefined)
      t.same(found, keys.filter((key) => key.startsWith(prefix)), `${prefix} ${limit}`)
    }
  }
  asked.length = 0
  await storage.list!('/b/')
  t.same(asked, ['b'])
  asked.length = 0
  await storage.list!('/a/1/lines/')
  t.same(asked.sort(), ['a', 'lines'], 'each once')
  await t.rejects(storage.list!('/c/'), { ...INVALID_OPTIONS, message: /prefix of the listing/ })
  for (const limit of [0, 1001, 1.5]) await t.rejects(storage.list!('/b/', { limit }), RangeError)
})

await t.test('storageByPattern: a page that is shorter than it may be hides no key behind it', async (t) => {
  const keys = ['/a/1', '/a/2', '/a/3', '/a/4']
  const short = async (_prefix: string, { after = '' }: ListOptions = {}): Promise<Page> => {
    const [key, next] = keys.filter((key) => key > after)
    return { items: key === undefined ? [] : [{ key, value: 1, version: 'a' }], next: next && key }
  }
  const other = memoryAdapter()
  await other.write('/a/3/x', 1, ANY)
  const storage = storageByPattern({ '/a/:id': told('a', [], { list: short }), '/a/:id/x': other })
  const found: string[] = []
  let after: string | undefined
  do {
    const page: Page = await storage.list!('/a/', { after })
    found.push(...page.items.map(({ key }) => key))
    after = page.next
  } while (after !== undefined)
  t.same(found, ['/a/1', '/a/2', '/a/3', '/a/3/x', '/a/4'])
})

await t.test('storageByPattern: it lists where one adapter does, and says which one cannot', async (t) => {
  const storage = storageByPattern({ '/a/:id': memoryAdapter(), '/b/:id': told('b', []) })
  t.same((await storage.list!('/a/')).items, [])
  for (const prefix of ['/b/', '/']) {
    await t.rejects(storage.list!(prefix), { ...INVALID_OPTIONS, message: /the adapter of "\/b\/:id" cannot list/ })
  }
  t.equal(storageByPattern({ '/b/:id': told('b', []) }).list, undefined)
})

/** An adapter that tells when it is opened and closed, and fails to where it is told so. */
function lifecycle (name: string, log: string[], fails: string[] = []): StorageAdapter {
  const step = (what: string) => async (): Promise<void> => {
    log.push(`${what} ${name}`)
    if (fails.includes(what)) throw new Error(`cannot ${what} ${name}`)
  }
  return told(name, [], { open: step('open'), close: step('close') })
}

await t.test('storageByPattern: each adapter is opened and closed once, whatever its patterns; one may have neither', async (t) => {
  const log: string[] = []
  const a = lifecycle('a', log)
  const storage = storageByPattern({
    '/a/:id': a,
    '/b/:id': lifecycle('b', log),
    '/c/:id': a,
    '/d/:id': memoryAdapter()
  })
  await storage.open!()
  await storage.close!()
  t.same(log, ['open a', 'open b', 'close a', 'close b'])
})

await t.test('storageByPattern: an adapter that fails to open has those before it closed, one that fails to close all others', async (t) => {
  const log: string[] = []
  const adapters = {
    '/a/:id': lifecycle('a', log, ['close']), '/b/:id': lifecycle('b', log, ['open']), '/c/:id': lifecycle('c', log)
  }
  const storage = storageByPattern(adapters)
  await t.rejects(storage.open!(), { message: 'cannot open b' })
  t.same(log.splice(0), ['open a', 'open b', 'close a'])
  await t.rejects(storage.close!(), { message: 'cannot close a' })
  t.same(log, ['close a', 'close b', 'close c'])
})

await t.test('storageByPattern: what is no adapter, and patterns without an order, are refused (FST_IF_MATCH_INVALID_OPTIONS)', async (t) => {
  const memory = memoryAdapter()
  const wrong: Array<[adapters: unknown, message: RegExp]> = [
    [undefined, /pass an object/], [{}, /pass an object/], ['/a', /must have a storage adapter/],
    [{ '/a/:id': undefined }, /"\/a\/:id" must have a storage adapter/], [{ '/a/:id': memoryAdapter }, /adapter/],
    [{ '/a/:id': Promise.resolve(memory) }, /adapter/], [{ '/a/:id': { read () {}, write () {} } }, /adapter/],
    [{ '/a/:id': memory, '/a/:x': memory }, /"\/a\/:id" and "\/a\/:x" could make the same key/],
    [{ '/a/:x-:y': memory }, /two parameters in one segment/], [{ '/a/:x([)': memory }, /regular expression/i]
  ]
  for (const [adapters, message] of wrong) {
    t.throws(() => storageByPattern(adapters as {}), { ...INVALID_OPTIONS, message }, String(message))
  }
})
