// Starts the engines, tells a command where they are, and ends them with it: with-engines.ts [--durable] COMMAND [ARGUMENT...]
// With --durable no acknowledged write is lost with the power of a machine: Redis syncs each write, and etcd has three members.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { startEtcd, startEtcdCluster } from './etcd.js'
import { startPostgres } from './postgres.js'
import { startRedisCluster } from './redis-cluster.js'
import { startRedis } from './redis.js'
import type { Owner } from './service.js'

const isDurable = process.argv[2] === '--durable'
const [command, ...args] = process.argv.slice(isDurable ? 3 : 2)
if (command === undefined) throw new TypeError('Which command is to be run?')

const ends: Array<() => unknown> = []
const owner: Owner = { teardown: (end: () => unknown) => { ends.unshift(end) } }
try {
  const env = {
    POSTGRES_URL: (await startPostgres(owner)).url,
    REDIS_URL: (await startRedis(owner, isDurable ? { settings: { appendonly: 'yes', appendfsync: 'always' } } : {})).url,
    REDIS_CLUSTER_URL: (await startRedisCluster(owner)).url,
    ETCD_URL: (await (isDurable ? startEtcdCluster(owner) : startEtcd(owner))).url
  }
  const child = spawn(command, args, { stdio: 'inherit', env: { ...process.env, ...env } })
  // Ctrl-C reaches the command too: it ends, and then the engines do.
  process.on('SIGINT', () => {})
  const [code] = await once(child, 'exit')
  process.exitCode = code ?? 1
} finally {
  for (const end of ends) await end()
}
