// Starts the engines, tells a command where they are, and ends them with it: with-engines.ts COMMAND [ARGUMENT...]
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { startEtcd } from './etcd.js'
import { startPostgres } from './postgres.js'
import { startRedisCluster } from './redis-cluster.js'
import { startRedis } from './redis.js'
import type { Owner } from './service.js'

const [command, ...args] = process.argv.slice(2)
if (command === undefined) throw new TypeError('Which command is to be run?')

const ends: Array<() => unknown> = []
const owner: Owner = { teardown: (end: () => unknown) => { ends.unshift(end) } }
try {
  const env = {
    POSTGRES_URL: (await startPostgres(owner)).url,
    REDIS_URL: (await startRedis(owner)).url,
    REDIS_CLUSTER_URL: (await startRedisCluster(owner)).url,
    ETCD_URL: (await startEtcd(owner)).url
  }
  const child = spawn(command, args, { stdio: 'inherit', env: { ...process.env, ...env } })
  // Ctrl-C reaches the command too: it ends, and then the engines do.
  process.on('SIGINT', () => {})
  const [code] = await once(child, 'exit')
  process.exitCode = code ?? 1
} finally {
  for (const end of ends) await end()
}
