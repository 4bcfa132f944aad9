// Runs the tests of the reference server on each engine whose address the environment has: `npm run test:engines`.
import { spawnSync } from 'node:child_process'
import { storageSetting } from './services/service.js'

const { POSTGRES_URL, REDIS_URL, REDIS_CLUSTER_URL, ETCD_URL } = process.env
const engines = { PostgreSQL: POSTGRES_URL, Redis: REDIS_URL, 'Redis Cluster': REDIS_CLUSTER_URL, etcd: ETCD_URL }

// What touches a storage: the pure functions below offers/, and the engines themselves, are the same on all of them.
const all = ['test/example/*.test.ts', 'test/example/clients/*.test.ts', 'test/example/readings/*.test.ts', 'test/docs/walk-through.test.ts']
const given = process.argv.slice(2)
const files = given.length > 0 ? given : all
for (const [name, url] of Object.entries(engines)) {
  if (url === undefined) continue
  console.log(`\n# The reference server on ${name}`)
  const { status } = spawnSync('tap', ['--disable-coverage', ...files], { stdio: 'inherit', env: { ...process.env, EXAMPLE_STORAGE: storageSetting(url), EXAMPLE_SERVER: 'dist/example/server.js' } })
  if (status !== 0) {
    console.log(`# failed on ${name}`)
    process.exitCode = 1
  }
}
