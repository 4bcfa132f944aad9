import { execFileSync } from 'node:child_process'
import { newFolder, startEngine } from './engine-process.js'
import { freePort, onFreePorts } from './free-port.js'
import { sharedUrl, programOf } from './programs.js'
import { sharedService, mayShare, type Owner, type Service, type ServiceOptions } from './service.js'

/**
 * The Redis at REDIS_URL, or one of the test's own. Settings are those of redis.conf, for example
 * `{ appendonly: 'yes', appendfsync: 'always' }`; nothing is kept on disk by default.
 */
export async function startRedis (t: Owner, options: ServiceOptions = {}): Promise<Service> {
  const shared = sharedUrl('redis')
  if (shared !== undefined && mayShare(options)) return sharedService(shared)
  return await onFreePorts(async () => await startRedisOn(t, await freePort(), options.settings))
}

/** One process of Redis on this port. */
export async function startRedisOn (t: Owner, port: number, settings: Record<string, string> = {}): Promise<Service> {
  const program = programOf('redis-server')
  const folder = newFolder('redis')
  const all = {
    port: String(port),
    bind: '127.0.0.1',
    dir: folder,
    save: '',
    appendonly: 'no',
    ...debugSetting(program),
    ...settings
  }
  return await startEngine(t, {
    url: `redis://127.0.0.1:${port}`,
    command: [program, ...Object.entries(all).flatMap(([name, value]) => [`--${name}`, value])],
    folder,
    ready: /Ready to accept connections/
  })
}

/** Redis 6 allows DEBUG; Redis 7 and later ask for a setting. */
function debugSetting (program: string): Record<string, string> {
  const [, major] = /\bv=(\d+)/.exec(execFileSync(program, ['--version'], { encoding: 'utf8' })) ?? []
  return Number(major) >= 7 ? { 'enable-debug-command': 'local' } : {}
}
