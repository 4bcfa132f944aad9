import { setTimeout as delay } from 'node:timers/promises'
import { newFolder, startEngine } from './engine-process.js'
import { freePort, onFreePorts } from './free-port.js'
import { sharedUrl, programOf } from './programs.js'
import {
  sharedService,
  mayShare,
  uniqueName,
  type Cluster,
  type Owner,
  type Service,
  type ServiceOptions
} from './service.js'

/** Where a member of a cluster runs. */
export interface Place {
  host: string
  /** A command that starts the member by becoming it, such as `ip netns exec blue`. */
  through?: [file: string, ...args: string[]]
}

export interface EtcdClusterOptions extends ServiceOptions {
  /** One for each member (default: three on 127.0.0.1). */
  places?: Place[]
}

const SETTLES_WITHIN = 30_000
const HERE: Place = { host: '127.0.0.1' }

/** The etcd at ETCD_URL, or one of the test's own. Settings are those of its command line, without the dashes. */
export async function startEtcd (t: Owner, options: ServiceOptions = {}): Promise<Service> {
  const shared = sharedUrl('etcd')
  if (shared !== undefined && mayShare(options)) return sharedService(shared)
  const [member] = await startMembers(t, [HERE], options.settings)
  return member!
}

/** Three etcds that are one store. Those that were killed together are restarted together: one alone has no quorum. */
export async function startEtcdCluster (t: Owner, options: EtcdClusterOptions = {}): Promise<Cluster> {
  const members = await startMembers(t, options.places ?? [HERE, HERE, HERE], options.settings)
  const settled = async (): Promise<void> => {
    await Promise.all(
      members.map(async ({ url }) => {
        await untilHealthy(url)
      })
    )
  }
  return { url: members.map(({ url }) => url).join(','), members, settled }
}

async function startMembers (t: Owner, places: Place[], settings: Record<string, string> = {}): Promise<Service[]> {
  return await onFreePorts(async () => {
    const nodes = await Promise.all(
      places.map(async ({ host, through = [] }, index) => ({
        name: `m${index}`,
        client: `http://${host}:${await freePort()}`,
        peer: `http://${host}:${await freePort()}`,
        through
      }))
    )
    const token = uniqueName()
    return await Promise.all(nodes.map(async ({ name, client, peer, through }) => {
      const folder = newFolder('etcd')
      const all = {
        name,
        'data-dir': folder,
        'listen-client-urls': client,
        'advertise-client-urls': client,
        'listen-peer-urls': peer,
        'initial-advertise-peer-urls': peer,
        'initial-cluster': nodes.map(({ name, peer }) => `${name}=${peer}`).join(','),
        'initial-cluster-token': token,
        ...settings
      }
      const args = Object.entries(all).flatMap(([option, value]) => [`--${option}`, value])
      const [file, ...rest] = [...through, programOf('etcd'), ...args] as [string, ...string[]]
      return await startEngine(t, {
        url: client,
        command: [file, ...rest],
        folder,
        // Without it, etcd 3.4 starts on x64 alone.
        env: { ETCD_UNSUPPORTED_ARCH: process.arch },
        ready: /ready to serve client requests/,
        answers: async () => await isHealthy(client)
      })
    }))
  })
}

async function untilHealthy (url: string): Promise<void> {
  const over = AbortSignal.timeout(SETTLES_WITHIN)
  while (!await isHealthy(url)) {
    if (over.aborted) throw new Error(`${url} is not healthy`)
    await delay(50)
  }
}

/** Whether the member knows a leader and takes writes. */
async function isHealthy (url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/health`, { signal: AbortSignal.timeout(5000) })
    return (await response.json() as { health?: string }).health === 'true'
  } catch {
    return false
  }
}
