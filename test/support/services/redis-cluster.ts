import { execFile } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { freePort, onFreePorts } from './free-port.js'
import { sharedUrl, programOf } from './programs.js'
import { startRedisOn } from './redis.js'
import { sharedCluster, mayShare, type Cluster, type Owner, type ServiceOptions } from './service.js'

const SLOTS = 16_384
const MASTERS = 3
const SETTLES_WITHIN = 30_000

/** The Redis Cluster at REDIS_CLUSTER_URL, or one of the test's own: three masters without replicas. */
export async function startRedisCluster (t: Owner, options: ServiceOptions = {}): Promise<Cluster> {
  const shared = sharedUrl('redis-cluster')
  if (shared !== undefined && mayShare(options)) return sharedCluster(shared)
  const { ports, members } = await onFreePorts(async () => {
    const ports = await Promise.all(Array.from({ length: MASTERS }, freePort))
    const all = { 'cluster-enabled': 'yes', 'cluster-node-timeout': '2000', ...options.settings }
    return { ports, members: await Promise.all(ports.map(async (port) => await startRedisOn(t, port, all))) }
  })
  await Promise.all(ports.map(async (port, index) => {
    const [first, end] = [index, index + 1].map((share) => Math.floor(share * SLOTS / MASTERS)) as [number, number]
    await ask(port, 'SET-CONFIG-EPOCH', String(index + 1))
    // One by one: ADDSLOTSRANGE came with Redis 7.
    await ask(port, 'ADDSLOTS', ...Array.from({ length: end - first }, (_, slot) => String(first + slot)))
  }))
  for (const one of ports) {
    for (const other of ports) if (one !== other) await ask(one, 'MEET', '127.0.0.1', String(other))
  }
  const settled = async (): Promise<void> => { await Promise.all(ports.map(isSettled)) }
  await settled()
  return { url: members.map(({ url }) => url).join(','), members, settled }
}

async function isSettled (port: number): Promise<void> {
  const over = AbortSignal.timeout(SETTLES_WITHIN)
  while (true) {
    const info = await ask(port, 'INFO')
    if (
      info.includes('cluster_state:ok') &&
      info.includes(`cluster_known_nodes:${MASTERS}`) &&
      info.includes(`cluster_size:${MASTERS}`)
    ) return
    if (over.aborted) throw new Error(`The cluster does not settle:\n${info}`)
    await delay(50)
  }
}

async function ask (port: number, ...command: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(programOf('redis-cli'), [
    '-e',
    '-p',
    String(port),
    'CLUSTER',
    ...command
  ])
  return stdout
}
