import t, { type Test } from 'tap'
import Fastify from 'fastify'
import ifMatch, { isRefusalError, type StorageAdapter } from 'fastify-if-match'
import { createClient, type Client } from 'fastify-if-match/client'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { createStorage } from '../../../example/storage/index.js'
import { placeIn } from '../../support/example/storage.js'
import { listen } from '../../support/offers-app.js'
import { makeChanges, type Tally } from '../../support/resend/blind-clients.js'
import {
  statementsOverLogs,
  tableOfLogs,
  transactionsOverLogs,
  type Log
} from '../../support/resend/storages.js'
import { startEtcd } from '../../support/services/etcd.js'
import { startMariadb } from '../../support/services/mariadb.js'
import { startPostgres } from '../../support/services/postgres.js'
import { skipWithout, type ServiceName } from '../../support/services/programs.js'
import { startProxy } from '../../support/services/proxy.js'
import { startRedis } from '../../support/services/redis.js'
import { storageSetting, type Owner } from '../../support/services/service.js'
import { fileOf } from '../../support/sqlite/handles.js'

const CLIENTS = 16
const CHANGES = 6
const EVERY = 3
const METHODS = ['POST ', 'PUT '].map((start) => Buffer.from(start))

const from = (start: (t: Owner) => Promise<{ url: string }>) => async (t: Test) =>
  await createStorage(await placeIn(t, storageSetting((await start(t)).url)))

type Make = (t: Test) => Promise<StorageAdapter> | StorageAdapter

const STORAGES: Array<[name: string, make: Make, needs?: ServiceName]> = [
  ['memory', () => memoryAdapter()],
  ['sqlite', async (t) => await createStorage(`sqlite:${fileOf(t)}`)],
  ['statements', statementsOverLogs],
  ['table', tableOfLogs],
  ['transactions', transactionsOverLogs],
  ['postgres', from(startPostgres), 'postgres'],
  ['mysql', from(startMariadb), 'mysql'],
  ['redis', from(startRedis), 'redis'],
  ['etcd', from(startEtcd), 'etcd']
]

/** Logs behind a proxy that drops the answer of every third write. `versions` counts what was written. */
async function logsBehindProxy (t: Test, storage: StorageAdapter, isOn: boolean) {
  const app = Fastify()
  t.teardown(async () => { await app.close() })
  await app.register(ifMatch, { storage })
  const config = {
    ifMatch: { key: '/logs/:id', resend: isOn && { caller: () => 'ada' } }
  }
  app.setErrorHandler(async (error: Error & { statusCode?: number }, _request, reply) =>
    await reply.code(error.statusCode ?? 500)
      .send({ message: error.message, ownWrite: isRefusalError(error) ? error.ownWrite : undefined }))
  app.get('/logs/:id', { config }, async (request) => (await request.entity<Log>().read()).value)
  app.put('/logs/:id', { config }, async (request, reply) => {
    const { value, created } = await request.entity<Log>().replace(request.body as Log)
    return await reply.code(created ? 201 : 200).send(value)
  })
  app.post<{ Body: { name: string } }>('/logs/:id', { config }, async (request) =>
    (await request.entity<Log>().update(({ changes }) => ({ changes: `${changes} ${request.body.name}` }))).value)
  const direct = `http://127.0.0.1:${await listen(app)}`
  const proxy = await startProxy(t, direct)
  let writes = 0
  const isWrite = (request: Buffer): boolean => METHODS.some((start) => request.subarray(0, start.length).equals(start))
  proxy.cutAnswer({ when: (request) => isWrite(request) && ++writes % EVERY === 0, times: Infinity })
  return { direct, url: proxy.url }
}

/** Creates a log through the proxy, and gives the status that its client was told in the end. */
async function create (url: string): Promise<number> {
  for (;;) {
    try {
      const headers = { 'if-none-match': '*', 'content-type': 'application/json' }
      const response = await fetch(url, { method: 'PUT', headers, body: JSON.stringify({ changes: '0' }) })
      await response.arrayBuffer()
      return response.status
    } catch {}
  }
}

/** The client of the package, with a key for each change. `reads` counts its GETs. */
function keyedClient () {
  const counted = { reads: 0 }
  const client = createClient({
    idempotencyKey: () => crypto.randomUUID(),
    retries: 1000,
    maxDelay: 5,
    fetch: async (url, init) => {
      if (init.method === 'GET') counted.reads++
      return await fetch(url, init)
    }
  })
  return { client, counted }
}

/** Adds these names to a log, one after the other: each of them until it is told a success. */
async function addWith (client: Client, url: string, names: string[]): Promise<void> {
  for (const name of names) {
    // Of a write that was refused, and others wrote since, the answer may be lost, too: the server cannot tell of that.
    const isApplied = ({ changes }: Log): boolean => changes.split(' ').includes(name)
    await client.update<Log>(url, (log) => { log.changes += ` ${name}` }, { isApplied })
  }
}

for (const [name, make, needs] of STORAGES) {
  await t.test(`resend on ${name}: ${CLIENTS} clients send again what got no answer, while every third answer to a write is dropped`, { skip: needs !== undefined && skipWithout(needs) }, async (t) => {
    for (const isOn of [false, true]) {
      await t.test(isOn ? 'with the option' : 'without the option', async (t) => {
        const { direct, url } = await logsBehindProxy(t, await make(t), isOn)
        const ids = Array.from({ length: CLIENTS }, (_, client) => `/logs/${client}`)
        const created = await Promise.all(ids.map(async (id) => await create(url + id)))
        const own: Tally = { applied: 0, resent: 0, blamed: 0, superseded: 0 }
        const shared: Tally = { ...own }
        const isThere = async (id: string, changes: number, distinct: number): Promise<void> => {
          const { changes: text } = await (await fetch(direct + id)).json() as Log
          const all = text.split(' ').slice(1)
          t.strictSame([all.length, new Set(all).size], [changes, distinct], 'each change is there once')
        }
        await Promise.all(ids.map(async (id, client) => {
          const names = Array.from({ length: CHANGES }, (_, count) => `${client}-${count}`)
          await makeChanges({ url: url + id, direct: direct + id, names, withKey: client % 2 === 0 }, own)
        }))
        for (const id of ids) await isThere(id, CHANGES, CHANGES)
        await create(`${url}/logs/shared`)
        await Promise.all(ids.map(async (_, client) => {
          const names = [`${client}-0`, `${client}-1`]
          const at = { url: `${url}/logs/shared`, direct: `${direct}/logs/shared` }
          await makeChanges({ ...at, names, withKey: client % 2 === 0 }, shared)
        }))
        await isThere('/logs/shared', 2 * CLIENTS, 2 * CLIENTS)
        t.ok(own.resent >= CLIENTS * CHANGES / EVERY, `${own.resent} sent again`)
        const refused = created.filter((status) => status !== 201).length
        t.comment(`${name}, ${isOn ? 'on' : 'off'}: ${refused} of ${CLIENTS} creations blamed; own logs: ` +
          `${own.resent} sent again, ${own.blamed} blamed; one log: ${shared.resent} sent again, ` +
          `${shared.blamed} blamed, ${shared.superseded} told that others wrote since`)
        const told = [refused, own.blamed, own.superseded]
        if (isOn) t.strictSame(told, [0, 0, 0], 'nobody is told 412 about an own write')
        else t.ok(refused > 0 && own.blamed > 0)
      })
    }
    await t.test('with the option, and the client of the package, which reads nothing after a lost answer', async (t) => {
      const { direct, url } = await logsBehindProxy(t, await make(t), true)
      const { client, counted } = keyedClient()
      const there = async (id: string): Promise<string[]> =>
        (await (await fetch(direct + id)).json() as Log).changes.split(' ').slice(1)
      const namesOf = (writer: number, count: number): string[] =>
        Array.from({ length: count }, (_, index) => `${writer}-${index}`)
      const writers = Array.from({ length: CLIENTS }, (_, writer) => writer)
      await Promise.all(writers.map(async (writer) => {
        const names = namesOf(writer, CHANGES)
        const id = `/logs/of-${writer}`
        await client.create<Log>(url + id, { changes: '0' })
        await addWith(client, url + id, names)
        t.strictSame(await there(id), names, 'each change is there once')
      }))
      t.equal(counted.reads, CLIENTS * CHANGES, 'one read for each update')
      await client.create<Log>(`${url}/logs/of-all`, { changes: '0' })
      await Promise.all(writers.map(async (writer) => {
        await addWith(client, `${url}/logs/of-all`, namesOf(writer, 2))
      }))
      const all = writers.flatMap((writer) => namesOf(writer, 2))
      t.strictSame((await there('/logs/of-all')).sort(), all.sort(), 'each change is there once')
    })
  })
}
