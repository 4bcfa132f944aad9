// Starts a Redis, says where it and its folder are, and never ends it.
import { execFileSync } from 'node:child_process'
import { startRedis } from '../../support/services/redis.js'

const { url } = await startRedis({ teardown: () => {} }, { own: true })
const [, folder] = execFileSync('redis-cli', ['-u', url, 'CONFIG', 'GET', 'dir'], { encoding: 'utf8' })
  .trim()
  .split('\n')
console.log(JSON.stringify({ url, folder }))
setInterval(() => {}, 60_000)
