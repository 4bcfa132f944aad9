import { FULL, raceOn } from '../../support/race/extent.js'
import { startRedis } from '../../support/services/redis.js'

await raceOn('redis', startRedis, FULL)
