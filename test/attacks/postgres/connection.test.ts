import pg from 'pg'
import t from 'tap'
import { conformanceSuite } from 'fastify-if-match/conformance'
import { QUICK, subjectsOn } from '../../support/postgres/subjects.js'
import { startPostgres } from '../../support/services/postgres.js'
import { skipWithout } from '../../support/services/programs.js'

await t.test('postgres: conformance through Clients of pg, one connection each', { skip: skipWithout('postgres') }, async (t) => {
  const { url } = await startPostgres(t)
  const warnings: Error[] = []
  const note = (warning: Error) => { warnings.push(warning) }
  process.on('warning', note)
  t.teardown(() => { process.off('warning', note) })
  const connect = async () => {
    const client = new pg.Client({ connectionString: url, ...QUICK })
    client.on('error', () => {})
    await client.connect()
    t.teardown(async () => { await client.end() })
    return client
  }
  const [one, two, three] = [await connect(), await connect(), await connect()]
  await conformanceSuite({
    test: (title, run) => t.test(title, run),
    createAdapter: subjectsOn(one, two, three),
    faults: false
  })
  t.strictSame(
    warnings.filter(({ name }) => name === 'DeprecationWarning'),
    [],
    'no client was given a statement while another one was under way'
  )
})
