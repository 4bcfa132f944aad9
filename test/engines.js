// Runs the tests of the reference server on each engine whose address the environment has: `npm run test:engines`.
import { spawnSync } from 'node:child_process'

const { POSTGRES_URL, REDIS_URL, REDIS_CLUSTER_URL, ETCD_URL } = process.env

// As STORAGE has it: one scheme ahead of all hosts.
const storages = {
  PostgreSQL: POSTGRES_URL,
  Redis: REDIS_URL,
  'Redis Cluster': REDIS_CLUSTER_URL?.replace(/,\w+:\/\//g, ','),
  etcd: ETCD_URL?.replace(/^http/, 'etcd').replace(/,\w+:\/\//g, ',')
}

const files = process.argv.length > 2 ? process.argv.slice(2) : ['test/example/**/*.test.ts', 'test/docs/walk-through.test.ts']
for (const [name, storage] of Object.entries(storages)) {
  if (storage === undefined) continue
  console.log(`\n# The reference server on ${name}`)
  const { status } = spawnSync('tap', ['--disable-coverage', ...files], { stdio: 'inherit', env: { ...process.env, EXAMPLE_STORAGE: storage } })
  if (status !== 0) {
    console.log(`# failed on ${name}`)
    process.exitCode = 1
  }
}
