import t from 'tap'
import type { Expectation, RemoveResult, WriteResult } from '../../../lib/storage/adapter.js'
import { satisfies } from '../../../lib/storage/kit/expectation.js'
import { postgresAdapter, type PostgresAdapter } from '../../../lib/storage/postgres/index.js'
import { ABSENT, ANY, EXISTS, versionIn } from '../../support/expectations.js'
import { inTransaction, untilWaiting } from '../../support/postgres/locks.js'
import { NotingClient, openedAdapter, PATIENT, poolTo } from '../../support/postgres/subjects.js'
import { startPostgres } from '../../support/services/postgres.js'
import { skipWithout } from '../../support/services/programs.js'

const LEVELS = ['read committed', 'repeatable read', 'serializable']
const KEYS = ['a', 'b', 'c']
const WRITERS = 12
const CALLS = 40

/** A change of a row: the version before and after it, null where there was no row, and the value after it. */
interface Change { key: string, old: string | null, new: string | null, value: string | null }

// A trigger writes each change into a table, in the order in which the engine made them.
function historySql (table: string): string {
  const history = `${table}_history`
  return `CREATE TABLE ${history} (position bigserial, key text, old text, new text, value text);
    CREATE FUNCTION ${table}_note () RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF TG_OP = 'DELETE' THEN
        INSERT INTO ${history} (key, old) VALUES (OLD.key, OLD.version);
      ELSIF TG_OP = 'INSERT' THEN
        INSERT INTO ${history} (key, new, value) VALUES (NEW.key, NEW.version, NEW.value::text);
      ELSE
        INSERT INTO ${history} (key, old, new, value) VALUES (NEW.key, OLD.version, NEW.version, NEW.value::text);
      END IF;
      RETURN NULL; END $$;
    CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON ${table} FOR EACH ROW EXECUTE FUNCTION ${table}_note ()`
}

await t.test('postgres: races', { skip: skipWithout('postgres') }, async (t) => {
  const { url } = await startPostgres(t)

  for (const level of LEVELS) {
    const pool = poolTo(t, url, {
      max: 16,
      options: `-c default_transaction_isolation=${level.replace(' ', '\\ ')} -c synchronous_commit=off`
    })

    await t.test(`at ${level}: an acknowledged change happened once and under its expectation, a refused one did not, and no refusal contradicts itself`, async (t) => {
      const { table } = await openedAdapter(pool)
      t.same((await pool.query('SHOW transaction_isolation')).rows, [{ transaction_isolation: level }])
      await pool.query(historySql(table))
      const acknowledged = new Map<string, { version: string, expectation: Expectation }>()
      const removed: string[] = []
      const refused = new Set<string>()
      const flaws: string[] = []
      const tally: Record<string, number> = {}

      async function call (adapter: PostgresAdapter, known: Map<string, string>, name: string): Promise<void> {
        const key = KEYS[Math.floor(Math.random() * KEYS.length)]!
        const expectations = [versionIn(known.get(key) ?? 'none'), EXISTS, ABSENT, ANY]
        const expectation = expectations[Math.floor(Math.random() * 4)]!
        const isRemoval = Math.random() < 0.25 && (expectation.kind === 'version' || expectation.kind === 'exists')
        const result: WriteResult | RemoveResult = isRemoval
          ? await adapter.remove(key, expectation)
          : await adapter.write(key, name, expectation)
        note(result, expectation, key, isRemoval ? undefined : name, known)
      }

      // Two writes at once, without rivals: they share a batch, however busy the machine is, with other writes.
      async function pair (adapter: PostgresAdapter, known: Map<string, string>, name: string): Promise<void> {
        await Promise.all(['left', 'right'].map(async (side) => {
          const key = `${name}/${side}`
          note(await adapter.write(key, key, ABSENT), ABSENT, key, key, known)
        }))
      }

      function note (
        result: WriteResult | RemoveResult,
        expectation: Expectation,
        key: string,
        name: string | undefined,
        known: Map<string, string>
      ): void {
        const outcome = `${expectation.kind} ${result.applied ? 'applied' : 'refused'}`
        tally[outcome] = (tally[outcome] ?? 0) + 1
        if (!result.applied) {
          if (satisfies(expectation, result.current?.version)) {
            flaws.push(`${expectation.kind} was refused for ${result.current?.version}`)
          }
          if (name !== undefined) refused.add(name)
          if (result.current === undefined) known.delete(key)
          else known.set(key, result.current.version)
        } else if ('version' in result) {
          acknowledged.set(name!, { version: result.version, expectation })
          known.set(key, result.version)
        } else {
          if (expectation.kind === 'version') removed.push(...expectation.versions)
          known.delete(key)
        }
      }

      // A transaction of the app, which makes rows vanish and come back.
      async function shuffle (): Promise<void> {
        for (let round = 0; round < CALLS; round++) {
          const client = await pool.connect()
          const key = KEYS[round % KEYS.length]
          try {
            await client.query('BEGIN')
            const { rows } = await client.query<{ version: string }>(
              `DELETE FROM ${table} WHERE key = $1 RETURNING version`,
              [key]
            )
            if (rows.length > 0) {
              await client.query(`INSERT INTO ${table} VALUES ($1, $2, $3, NULL, '"shuffled"')`, [
                key,
                `shuffled-${round}`,
                rows[0]!.version
              ])
            }
            await client.query('COMMIT')
          } catch {
            await client.query('ROLLBACK')
          }
          client.release()
        }
      }

      const contention: unknown[] = []
      const clients = [new NotingClient(pool), new NotingClient(pool), new NotingClient(pool)]
      const adapters = clients.map((client) => postgresAdapter({ client, table, prepared: true, ...PATIENT }))
      await Promise.all([shuffle(), ...Array.from({ length: WRITERS }, async (_, writer) => {
        const mine = adapters[writer % adapters.length]!
        const known = new Map<string, string>()
        for (let index = 0; index < CALLS; index++) {
          const name = `${writer}/${index}`
          const calls = [call(mine, known, name)]
          if (index % 8 === 0) calls.push(pair(mine, known, name))
          for (const outcome of await Promise.allSettled(calls)) {
            if (outcome.status === 'rejected') contention.push(outcome.reason)
          }
        }
      })])
      for (const error of contention) t.match(error, { code: 'FST_IF_MATCH_CONTENTION' })
      const { rows } = await pool.query<Change>(
        `SELECT key, old, new, value FROM ${table}_history ORDER BY position`
      )
      const written = new Map<string, Change[]>()
      for (const row of rows) {
        if (row.value === null) continue
        const name = JSON.parse(row.value) as string
        written.set(name, [...(written.get(name) ?? []), row])
      }
      for (const [name, { version, expectation }] of acknowledged) {
        const changes = written.get(name) ?? []
        const [change] = changes
        if (changes.length !== 1 || change!.new !== version) {
          flaws.push(`${name} was acknowledged and written ${changes.length} times`)
        } else if (!satisfies(expectation, change!.old ?? undefined)) {
          flaws.push(`${name} expected ${JSON.stringify(expectation)} and replaced ${change!.old}`)
        }
      }
      const deleted = new Set(rows.filter((row) => row.new === null).map(({ old }) => old))
      for (const version of removed) {
        if (!deleted.has(version)) flaws.push(`${version} was to be removed, and another one was`)
      }
      for (const name of refused) if (written.has(name)) flaws.push(`${name} was refused and is written`)
      for (const name of written.keys()) {
        if (name !== 'shuffled' && !acknowledged.has(name)) flaws.push(`${name} is written and was not acknowledged`)
      }
      // Each version is replaced or removed at most once: otherwise an update is lost.
      const ends = rows.map(({ old }) => old).filter((old) => old !== null)
      if (new Set(ends).size !== ends.length) flaws.push('one version was replaced twice')
      t.strictSame(flaws, [])
      t.ok(acknowledged.size > WRITERS * CALLS / 8)
      t.ok(
        clients.every(({ texts }) => texts.filter((text) => text.includes('json_to_recordset')).length > 3),
        'among them batches of several adapters'
      )
      t.comment(`${level}: ${JSON.stringify(tally)}, ${contention.length} contentions`)
    })

    await t.test(`at ${level}: of 32 writes under one version one is applied, and the others are refused with its version`, async (t) => {
      const { adapter } = await openedAdapter(pool)
      for (let round = 0; round < 3; round++) {
        const base = await adapter.write('k', 'base', ANY)
        const expectation = versionIn(base.applied ? base.version : '')
        const results = await Promise.all(
          Array.from({ length: 32 }, (_, index) => adapter.write('k', index, expectation))
        )
        const winners = results.filter((result) => result.applied)
        t.equal(winners.length, 1)
        const { version } = winners[0] as { version: string }
        t.ok(results.every((result) => result.applied || result.current?.version === version))
      }
    })
  }

  await t.test('where READ COMMITTED waits, the other levels fail, and the write is tried again: applied, or refused with the current entity', async (t) => {
    for (const level of LEVELS) {
      const pool = poolTo(t, url, { options: `-c default_transaction_isolation=${level.replace(' ', '\\ ')}` })
      const { adapter, table } = await openedAdapter(pool)
      const base = await adapter.write('k', 'base', ANY)
      const end = await inTransaction(t, pool, `UPDATE ${table} SET replaced = version, version = 'theirs'`)
      // A second adapter, as in another process: one adapter lets no two changes of a key wait at once.
      const second = postgresAdapter({ client: pool, table, ...PATIENT })
      const writing = [
        adapter.write('k', 'mine', versionIn(base.applied ? base.version : '')),
        second.write('k', 'mine', EXISTS)
      ]
      await untilWaiting(pool, table, 2)
      await end('COMMIT')
      const [refused, applied] = await Promise.all(writing)
      t.match(refused, { applied: false, current: {} }, level)
      t.match(applied, { applied: true, created: false }, level)
    }
  })
})
