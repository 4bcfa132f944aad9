import { PGlite } from '@electric-sql/pglite'
import t from 'tap'
import { conformanceSuite } from 'fastify-if-match/conformance'
import { subjectsOn } from '../../support/postgres/subjects.js'

await t.test('postgres: conformance through PGlite, which is one connection for both adapters', async (t) => {
  const lite = await PGlite.create()
  t.teardown(async () => { await lite.close() })
  await conformanceSuite({
    test: (title, run) => t.test(title, run),
    createAdapter: subjectsOn(lite, lite, lite),
    faults: false
  })
})
