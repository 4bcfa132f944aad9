import t, { type Test } from 'tap'
import type { EngineClient } from '../../support/statements/engine-cases.js'
import { itemsAdapter, postgresTables, rowVersionCases } from '../../support/statements/row-versions.js'
import { sqlStateFault } from '../../../lib/storage/statements/index.js'
import { ABSENT, versionIn } from '../../support/expectations.js'
import { poolTo, QUICK } from '../../support/postgres/subjects.js'
import { skipWithout } from '../../support/services/programs.js'
import { startPostgres } from '../../support/services/postgres.js'
import { uniqueName } from '../../support/services/service.js'

const ROUNDS = 50
const CLIENTS = 32

await t.test('versions that PostgreSQL makes', { skip: skipWithout('postgres') }, async (t) => {
  const { url } = await startPostgres(t)
  const admin = poolTo(t, url)

  async function open (t: Test, schema: string): Promise<[EngineClient, EngineClient]> {
    const name = uniqueName()
    await admin.query(`CREATE SCHEMA ${name}; SET search_path TO ${name}; ${schema}; RESET search_path`)
    const clientOf = (): EngineClient => {
      const pool = poolTo(t, url, { options: `${QUICK.options} -c search_path=${name}`, max: 16 })
      return {
        async run (sql, values) {
          const { rows, rowCount } = await pool.query(sql, values)
          return { rows, count: rowCount }
        }
      }
    }
    return [clientOf(), clientOf()]
  }

  for (const [kind, table] of Object.entries(postgresTables(sqlStateFault))) {
    await rowVersionCases(t, `versions by ${kind}`, table, open)

    await t.test(`versions by ${kind}: of ${CLIENTS} writers under one tag on two pools one is applied, beside a job that writes past the adapter`, async (t) => {
      const clients = await open(t, table.schema)
      const adapters = clients.map((client) => itemsAdapter(client, table))
      const created = await adapters[0]!.write('k', 0, ABSENT) as { version: string }
      let { version } = created
      const seen = new Set([version])
      let winners = 0
      for (let round = 1; round <= ROUNDS; round++) {
        const hasJob = round % 2 === 0
        const [results] = await Promise.all([
          Promise.all(Array.from({ length: CLIENTS }, async (_, writer) =>
            await adapters[writer % 2]!.write('k', `${round}/${writer}`, versionIn(version)))),
          hasJob && clients[1]!.run('UPDATE items SET body = body', [])
        ])
        const applied = results.filter((result) => result.applied)
        winners += applied.length
        // The job may have been first: then nobody's tag is right.
        t.ok(applied.length === 1 || (hasJob && applied.length === 0), `round ${round}: ${applied.length} winners`)
        const current = (await adapters[0]!.read('k'))!
        for (const { version: won } of applied) {
          t.notOk(seen.has(won), 'a version came back')
          seen.add(won)
        }
        if (!hasJob) t.equal(current.version, applied[0]!.version)
        t.notOk(current.version === version, 'the version moved')
        seen.add(current.version)
        version = current.version
      }
      t.ok(winners >= ROUNDS / 2)
    })
  }
})
