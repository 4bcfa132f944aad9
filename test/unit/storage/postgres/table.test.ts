import t from 'tap'
import type { PostgresClient } from '../../../../lib/storage/postgres/client.js'
import type { Write } from '../../../../lib/storage/kit/entity-table.js'
import { PostgresSession } from '../../../../lib/storage/postgres/session.js'
import { quotedTable, statementsOn } from '../../../../lib/storage/postgres/sql.js'
import { PostgresTable } from '../../../../lib/storage/postgres/table.js'
import { assertDamaged } from '../../../support/damaged.js'
import { ANY } from '../../../support/expectations.js'

const write = (key: string, version: string, expectation: Write['expectation']): Write => ({
  key,
  version,
  json: '{"n":1}',
  expectation,
  options: { digest: 'd' }
})

function tableOver (client: PostgresClient, isInTransaction = false): PostgresTable<unknown> {
  return new PostgresTable(
    new PostgresSession(client, { timeout: 5000 }),
    statementsOn(quotedTable({}), isInTransaction ? 0 : 1000),
    isInTransaction
  )
}

await t.test('postgres: a serialization failure is tried again, bounded, and not in a transaction of the app', async (t) => {
  let failures = 0
  let sent = 0
  const client: PostgresClient = {
    async query () {
      sent++
      if (failures-- > 0) throw Object.assign(new Error('simulated'), { code: '40001' })
      return { rows: [{ replaced: null }] }
    }
  }
  const attempt = async (count: number, isInTransaction: boolean) => {
    failures = count
    sent = 0
    return await tableOver(client, isInTransaction).write(write('k', 'a', ANY))
  }
  t.match(await attempt(3, false), { applied: true })
  t.equal(sent, 4)
  await t.rejects(attempt(Infinity, false), { code: 'FST_IF_MATCH_CONTENTION' })
  t.equal(sent, 16)
  await t.rejects(attempt(1, true), { code: 'FST_IF_MATCH_CONTENTION' })
  t.equal(sent, 1)
})

await t.test('postgres: between two attempts there is a pause', async (t) => {
  const jitter = t.capture(Math, 'random', () => 0)
  const client: PostgresClient = {
    query: async () => {
      throw Object.assign(new Error('simulated'), { code: '40001' })
    }
  }
  const table = new PostgresTable(
    new PostgresSession(client, { timeout: 5000 }),
    statementsOn(quotedTable({}), 0),
    false
  )
  await t.rejects(table.read('k'), { code: 'FST_IF_MATCH_CONTENTION' })
  t.equal(jitter().length, 15)
})

await t.test('postgres: if a request is over, nothing more is sent for it, also between two attempts', async (t) => {
  const controller = new AbortController()
  let sent = 0
  const client: PostgresClient = {
    async query () {
      sent++
      controller.abort(new Error('over'))
      throw Object.assign(new Error('simulated'), { code: '40P01' })
    }
  }
  await t.rejects(
    tableOver(client).write({ ...write('k', 'a', ANY), options: { signal: controller.signal } }),
    { message: 'over' }
  )
  await t.rejects(tableOver(client).read('k', { signal: controller.signal }), { message: 'over' })
  t.equal(sent, 1)
})

await t.test('postgres: a stored value that is no JSON is a fault of the storage where it is asked for, without its content', async (t) => {
  const client: PostgresClient = {
    query: async () => ({ rows: [{ value: 'a secret', version: 'a', replaced: null, digest: null }] })
  }
  const stored = await tableOver(client).read('k')
  t.match(stored, { version: 'a', json: 'a secret' })
  assertDamaged(t, stored, /not JSON/)
})

await t.test('postgres: a read names the versions whose value is to be left out, none that cannot be one', async (t) => {
  const row = { version: 'a', replaced: null, digest: 'd' }
  const sent: Array<[text: string, values: unknown[] | undefined]> = []
  const client: PostgresClient = {
    async query (text, values) {
      sent.push([text.replace(/ FROM .*/, ''), values])
      return { rows: [{ ...row, value: text.startsWith('SELECT e."value"') ? '1' : null }] }
    }
  }
  const table = tableOver(client)
  const facts = { version: 'a', replaced: undefined, digest: 'd' }
  t.strictSame(await table.read('k', { unless: '*' }), facts)
  t.strictSame(await table.read('k', { unless: ['b', 'a', '\0'] }), facts)
  t.match(await table.read('k', { unless: ['\0', ''] }), { value: 1 })
  t.match(await table.read('k'), { value: 1 })
  t.strictSame(sent.map(([, values]) => values), [['k'], ['k', ['b', 'a']], ['k'], ['k']])
  t.notMatch(sent[0]![0], /value/)
  t.match(sent[1]![0], /^SELECT CASE WHEN e\."version" = ANY \(\$2::text\[\]\) THEN NULL ELSE e\."value"::text END/)
})
