// Runs the tests of the reference server on each engine: `npm run test:engines`, which starts them.
import { readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { runCommand } from './command.js'
import { byProcess, writeFolderModules } from './folders.js'
import { jobs } from './run-plan.js'
import { storageSetting } from './services/service.js'

const { POSTGRES_URL, MYSQL_URL, REDIS_URL, REDIS_CLUSTER_URL, ETCD_URL } = process.env
const engines = {
  PostgreSQL: POSTGRES_URL,
  'MySQL over mysql2': MYSQL_URL,
  Redis: REDIS_URL,
  etcd: ETCD_URL
}
// The same engines in another way: what the process around the app does is the same.
const variants = {
  'MySQL over mariadb': MYSQL_URL?.replace('mysql:', 'mariadb:'),
  'Redis Cluster': REDIS_CLUSTER_URL
}

// What touches a storage: the pure functions below offers/, and the engines themselves, are the same on all of them.
const FOLDERS = ['app', 'process', 'clients', 'readings'].map((folder) => join('test/example', folder))
// What is answered ahead of the storage, or without it.
const WITHOUT_STORAGE = new Set([
  'auth', 'client-errors', 'connect', 'greeting', 'metrics', 'openapi', 'overload', 'request-id', 'security-headers',
  'settings'
])
const files = [
  ...FOLDERS.flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith('.test.ts') && !WITHOUT_STORAGE.has(basename(name, '.test.ts')))
      .map((name) => join(folder, name))
  ),
  'test/docs/walk-through.test.ts'
]
const ofApp = files.filter((file) => file.startsWith('test/example/app/'))

for (const [name, url] of Object.entries({ ...engines, ...variants })) {
  if (url === undefined) continue
  console.log(`\n# The reference server on ${name}`)
  const run = name in variants ? ofApp : files
  const modules = byProcess(run, run)
  writeFolderModules(modules)
  const options = [`--jobs=${jobs()}`, '--disable-coverage', ...process.argv.slice(2)]
  const status = await runCommand(['tap', ...options, ...modules], { EXAMPLE_STORAGE: storageSetting(url) })
  if (status !== 0) {
    console.log(`# failed on ${name}`)
    process.exitCode = 1
  }
}
