// Runs the tests of the reference server on each engine: `npm run test:engines`, which starts them.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { runCommand } from './command.js'
import { byProcess, writeFolderModules } from './folders.js'
import { jobs } from './run-plan.js'
import { storageSetting } from './services/service.js'

const { POSTGRES_URL, MYSQL_URL, REDIS_URL, REDIS_CLUSTER_URL, ETCD_URL } = process.env
const engines = {
  PostgreSQL: POSTGRES_URL,
  'MySQL over mysql2': MYSQL_URL,
  'MySQL over mariadb': MYSQL_URL?.replace('mysql:', 'mariadb:'),
  Redis: REDIS_URL,
  'Redis Cluster': REDIS_CLUSTER_URL,
  etcd: ETCD_URL
}

// What touches a storage: the pure functions below offers/, and the engines themselves, are the same on all of them.
const FOLDERS = ['app', 'process', 'clients', 'readings'].map((folder) => join('test/example', folder))
const files = [
  ...FOLDERS.flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith('.test.ts'))
      .map((name) => join(folder, name))
  ),
  'test/docs/walk-through.test.ts'
]
const modules = byProcess(files, files)
writeFolderModules(modules)

for (const [name, url] of Object.entries(engines)) {
  if (url === undefined) continue
  console.log(`\n# The reference server on ${name}`)
  const options = [`--jobs=${jobs('checks')}`, '--disable-coverage', ...process.argv.slice(2)]
  const status = await runCommand(['tap', ...options, ...modules], { EXAMPLE_STORAGE: storageSetting(url) })
  if (status !== 0) {
    console.log(`# failed on ${name}`)
    process.exitCode = 1
  }
}
