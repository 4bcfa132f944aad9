import { Redis } from 'ioredis'
import type { HandStore } from './by-hand.js'

const SCRIPT = `
local version = redis.call('HGET', KEYS[1], 'version')
if ARGV[2] and version ~= ARGV[2] then return nil end
local new = tostring((tonumber(version) or 0) + 1)
redis.call('HSET', KEYS[1], 'version', new, 'json', ARGV[1])
return new
`

type WithScript = Redis & { putIf (key: string, ...args: string[]): Promise<string | null> }

/** One call of a script for each write, through ioredis. */
export async function redisByHand (url: string): Promise<HandStore> {
  const redis = new Redis(url) as WithScript
  redis.defineCommand('putIf', { numberOfKeys: 1, lua: SCRIPT })
  const keyOf = (id: string): string => `bench-hand:${id}`
  return {
    async read (id) {
      const [version, json] = await redis.hmget(keyOf(id), 'version', 'json') as [string | null, string | null]
      return version === null ? undefined : { version, json: json! }
    },
    async write (id, json, version) {
      return await redis.putIf(keyOf(id), json, ...version === undefined ? [] : [version]) ?? undefined
    },
    async close () { await redis.quit() }
  }
}
