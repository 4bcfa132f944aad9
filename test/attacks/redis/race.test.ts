import { startRedis } from '../../support/services/redis.js'
import { raceOn } from '../../support/race/engine.js'

await raceOn('redis', startRedis)
