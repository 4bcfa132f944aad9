import { once } from 'node:events'
import { connect } from 'node:net'
import type { LightMyRequestResponse } from 'fastify'
import type { Test } from 'tap'
import { barrier } from '../../../test/support/barrier.js'
import { ABSENT } from '../../../test/support/expectations.js'
import { listen, newApp } from '../../../test/support/offers-app.js'
import type { Order } from '../../order.js'
import { addOrders, type OrderWork } from './app.js'
import type { OrdersClient } from './client.js'
import { nextId } from './ids.js'
import type { OrdersStore } from './store.js'

export const wave: Order = {
  customer: 'Wave',
  note: 'by noon',
  lines: [{ sku: 'apple', quantity: 2 }, { sku: 'pear', quantity: 1 }]
}

const line = { sku: 'plum', quantity: 3 }

/** An app on the client with an order in it, and ways to call it. */
async function open (t: Test, client: OrdersClient, work?: OrderWork) {
  const app = newApp(t)
  await addOrders(app, client, work)
  const id = nextId()
  const url = `/orders/${id}`
  const result = await client.adapter.write(url, wave, ABSENT)
  if (!result.applied) throw new Error('not stored')
  const etag = `"${result.version}"`
  return {
    app,
    id,
    url,
    etag,
    put: async (payload: object, headers: Record<string, string> = { 'if-match': etag }) =>
      await app.inject({ method: 'PUT', url, headers, payload }),
    post: async () => await app.inject({ method: 'POST', url, headers: { 'if-match': etag } }),
    /** What is stored, and whether it is what was there at the beginning. */
    read: async () => {
      const answer = await app.inject(url)
      return { value: answer.json<Order>(), isAsBefore: answer.headers.etag === etag }
    }
  }
}

const codeOf = (answer: LightMyRequestResponse): unknown[] => [answer.statusCode, answer.json<{ code?: string }>().code]
const UNTOUCHED = { value: wave, isAsBefore: true }

/** What a client must show in one transaction: several rows, all or none of them. */
export async function transactionCases (t: Test, client: OrdersClient, { act, rows }: OrdersStore): Promise<void> {
  // Changes the order, and then a line.
  const both = (between: () => unknown = () => {}): OrderWork => async (tx, id) => {
    await client.rename(tx, id, 'Other')
    await between()
    await client.addLine(tx, id, 99, line)
  }
  const changed = { ...wave, customer: 'Other', lines: [...wave.lines, line] }

  await t.test('an order with its lines is created, read, replaced and removed, each time under a new tag', async (t) => {
    const { app, id, url, etag, put } = await open(t, client)
    const read = await app.inject(url)
    t.strictSame([read.headers.etag, read.json()], [etag, wave])
    for (const order of [{ ...wave, lines: [] }, { ...wave, note: null, lines: wave.lines.toReversed() }]) {
      const { headers: { etag } } = await app.inject(url)
      const replaced = await put(order, { 'if-match': String(etag) })
      t.strictSame([replaced.statusCode, replaced.json()], [200, order])
      t.not(replaced.headers.etag, etag)
      const read = await app.inject(url)
      t.strictSame([read.headers.etag, read.json()], [replaced.headers.etag, order])
    }
    t.equal((await app.inject({ method: 'DELETE', url, headers: { 'if-match': etag } })).statusCode, 412)
    const { headers } = await app.inject(url)
    const removed = await app.inject({ method: 'DELETE', url, headers: { 'if-match': String(headers.etag) } })
    t.equal(removed.statusCode, 204)
    t.strictSame(await rows(`SELECT sku FROM lines WHERE order_id = ${id}`), [])
    for (const other of ['2147483648', `0${id}`]) t.equal((await app.inject(`/orders/${other}`)).statusCode, 400)
    const again = await put(wave, { 'if-none-match': '*' })
    t.equal(again.statusCode, 201)
    t.not(again.headers.etag, etag)
  })

  const jobs = {
    inserts: (id: number) => `INSERT INTO lines VALUES (${id}, 99, 'of the job', 1)`,
    updates: (id: number) => `UPDATE lines SET quantity = 50 WHERE order_id = ${id} AND sku = 'pear'`,
    deletes: (id: number) => `DELETE FROM lines WHERE order_id = ${id} AND sku = 'pear'`
  }
  for (const [does, sql] of Object.entries(jobs)) {
    await t.test(`a job that ${does} a line alone, between GET and PUT: 412, and the line is as the job left it`, async (t) => {
      const { app, id, url, put } = await open(t, client)
      await act(sql(id))
      const lines = async () => await rows(`SELECT sku, quantity FROM lines WHERE order_id = ${id} ORDER BY position`)
      const left = await lines()
      t.equal((await put({ ...wave, lines: [] })).statusCode, 412)
      t.strictSame(await lines(), left)
      t.strictSame((await app.inject(url)).json<Order>().lines, left)
    })
  }

  await t.test('a work changes an order and its lines: 200 with a new tag, which the next GET has; 412 under the old one, and no work', async (t) => {
    let runs = 0
    const { app, url, etag, post } = await open(t, client, both(() => { runs++ }))
    const answer = await post()
    t.strictSame([answer.statusCode, answer.json()], [200, changed])
    t.not(answer.headers.etag, etag)
    t.equal((await app.inject(url)).headers.etag, answer.headers.etag)
    t.equal((await post()).statusCode, 412)
    t.equal(runs, 1)
  })

  await t.test('a work that only adds a line moves the tag of its order', async (t) => {
    const { post, read } = await open(t, client, async (tx, id) => await client.addLine(tx, id, 99, line))
    t.equal((await post()).statusCode, 200)
    t.strictSame(await read(), { value: { ...wave, lines: [...wave.lines, line] }, isAsBefore: false })
  })

  await t.test('an error between two statements of a work goes out as it is, and nothing is stored', async (t) => {
    const full = Object.assign(new Error('the order is full'), { statusCode: 409, code: 'FULL' })
    const { post, read } = await open(t, client, both(() => { throw full }))
    t.strictSame(codeOf(await post()), [409, 'FULL'])
    t.strictSame(await read(), UNTOUCHED)
  })

  await t.test('a client that hangs up before the commit: nothing is stored', async (t) => {
    const [began, goOn, ended] = [barrier(), barrier(), barrier<unknown>()]
    const { adapter } = client
    const watched: OrdersClient['adapter'] = {
      ...adapter,
      async transaction (...operation) {
        const result = adapter.transaction(...operation)
        result.then(ended.open, ended.open)
        return await result
      }
    }
    const { app, url, etag, read } = await open(t, { ...client, adapter: watched }, async (tx, id, request) => {
      const gone = once(request.raw.socket, 'close')
      began.open()
      await Promise.all([goOn.opened, gone])
      await both()(tx, id, request)
    })
    const socket = connect(await listen(app), '127.0.0.1')
    socket.write(`POST ${url} HTTP/1.1\r\nHost: a\r\nIf-Match: ${etag}\r\nContent-Length: 0\r\n\r\n`)
    await Promise.race([began.opened, ended.opened])
    socket.destroy()
    goOn.open()
    t.match(await ended.opened, { code: 'FST_IF_MATCH_LATE_WRITE' })
    t.strictSame(await read(), UNTOUCHED)
  })

  await t.test('a work that changes nothing is VERSION_UNCHANGED', async (t) => {
    const { post, read } = await open(t, client)
    t.strictSame(codeOf(await post()), [500, 'FST_IF_MATCH_VERSION_UNCHANGED'])
    t.strictSame(await read(), UNTOUCHED)
  })

  await t.test('a unique key that is no id is CONSTRAINT, for a PUT that replaces, one that creates and a work', async (t) => {
    const twice = { ...wave, lines: [line, line] }
    const { app, put, post, read } = await open(t, client, async (tx, id) => {
      await client.rename(tx, id, 'Other')
      await client.addLine(tx, id, 99, { sku: 'apple', quantity: 1 })
    })
    const refused = [409, 'FST_IF_MATCH_CONSTRAINT']
    t.strictSame(codeOf(await put(twice)), refused)
    t.strictSame(codeOf(await post()), refused)
    t.strictSame(await read(), UNTOUCHED)
    const url = `/orders/${nextId()}`
    const headers = { 'if-none-match': '*' }
    t.strictSame(codeOf(await app.inject({ method: 'PUT', url, headers, payload: twice })), refused)
    t.equal((await app.inject(url)).statusCode, 404)
  })

  await t.test('two orders in one work: both are written, or neither', async (t) => {
    // A line goes from one order to another one.
    const other = `/orders/${nextId()}`
    let isFull = false
    const { app, url, post, read } = await open(t, client, async (tx, id, request) => {
      await request.entity<Order>(other).update((order) => ({ ...order, lines: [...order.lines, line] }))
      await client.rename(tx, id, 'Other')
      if (isFull) throw Object.assign(new Error('the order is full'), { statusCode: 409 })
    })
    const before = await client.adapter.write(other, wave, ABSENT)
    isFull = true
    t.equal((await post()).statusCode, 409)
    t.strictSame(await read(), UNTOUCHED)
    t.match(await client.adapter.read(other), { value: wave, version: (before as { version: string }).version })
    isFull = false
    t.equal((await post()).statusCode, 200)
    t.match([await app.inject(url), await app.inject(other)].map((answer) => answer.json<Order>()), [
      { ...wave, customer: 'Other' },
      { ...wave, lines: [...wave.lines, line] }
    ])
  })
}

/** What a client must show on tables without triggers, where nothing moves the version. */
export async function withoutTriggerCases (t: Test, client: OrdersClient): Promise<void> {
  await t.test('without a trigger each write that forgets the version is VERSION_UNCHANGED, and nothing is stored', async (t) => {
    const { put, post, read } = await open(t, client, async (tx, id) => {
      await client.rename(tx, id, 'Other')
      await client.addLine(tx, id, 99, line)
    })
    for (const answer of [await put({ ...wave, customer: 'Other', lines: [] }), await post()]) {
      t.strictSame(codeOf(answer), [500, 'FST_IF_MATCH_VERSION_UNCHANGED'])
      t.strictSame(await read(), UNTOUCHED)
    }
  })
}
