import t from 'tap'
import type { PostgresClient } from '../../../../lib/storage/postgres/client.js'
import { makeTable } from '../../../../lib/storage/postgres/make.js'
import { PostgresSession } from '../../../../lib/storage/postgres/session.js'

/** A server that refuses to make a table so often, with this SQLSTATE, and what was sent to it. */
function refusing (code: string, times: number, isThere = false) {
  const sent: string[] = []
  const client = {
    async query (text: string) {
      sent.push(text)
      if (text.startsWith('CREATE') && times-- > 0) throw Object.assign(new Error('simulated'), { code })
      return { rows: [{ is_there: isThere }] }
    }
  } as unknown as PostgresClient
  return { session: new PostgresSession(client, { timeout: 1000 }), sent }
}

await t.test('postgres: a table that another process is just making is tried again, bounded; anything else is thrown', async (t) => {
  const made = refusing('42710', 2)
  await makeTable(made.session, {})
  t.equal(made.sent.length, 3)
  const never = refusing('42P07', Infinity)
  await t.rejects(makeTable(never.session, {}), { code: '42P07' })
  t.equal(never.sent.length, 5)
  const full = refusing('53100', Infinity)
  await t.rejects(makeTable(full.session, {}), { code: '53100' })
  t.equal(full.sent.length, 1)
})

await t.test('postgres: a user who may make no table needs none where it is there, and is told the SQL where it is not', async (t) => {
  await makeTable(refusing('42501', 1, true).session, { schema: 'mine' })
  await t.rejects(makeTable(refusing('42501', 1).session, { schema: 'mine' }), {
    code: 'FST_IF_MATCH_INVALID_ADAPTER',
    message: /may not make the table\..*CREATE TABLE IF NOT EXISTS "mine"."entities".*GRANT .* ON "mine"."entities"/
  })
})
