import { execFileSync } from 'node:child_process'
import { newFolder, startEngine } from './engine-process.js'
import { freePort, onFreePorts } from './free-port.js'
import { givenUrl, programOf } from './programs.js'
import { givenService, type Service, type Owner } from './service.js'

export interface RedisOptions {
  /** As in redis.conf, for example `{ appendonly: 'yes', appendfsync: 'always' }`. Nothing is kept on disk by default. */
  settings?: Record<string, string>
}

/** A Redis of the test's own, or the one at REDIS_URL. */
export async function startRedis (t: Owner, { settings }: RedisOptions = {}): Promise<Service> {
  const given = givenUrl('redis')
  if (given !== undefined && settings === undefined) return givenService(given)
  return await onFreePorts(async () => await startRedisOn(t, await freePort(), settings))
}

/** One process of Redis on this port. */
export async function startRedisOn (t: Owner, port: number, settings: Record<string, string> = {}): Promise<Service> {
  const program = programOf('redis-server')
  const folder = newFolder('redis')
  const all = { port: String(port), bind: '127.0.0.1', dir: folder, save: '', appendonly: 'no', ...debugSetting(program), ...settings }
  return await startEngine(t, {
    url: `redis://127.0.0.1:${port}`,
    command: [program, ...Object.entries(all).flatMap(([name, value]) => [`--${name}`, value])],
    folder,
    ready: /Ready to accept connections/
  })
}

/** DEBUG is open in Redis 6, and has a setting since 7. */
function debugSetting (program: string): Record<string, string> {
  const [, major] = /\bv=(\d+)/.exec(execFileSync(program, ['--version'], { encoding: 'utf8' })) ?? []
  return Number(major) >= 7 ? { 'enable-debug-command': 'local' } : {}
}
