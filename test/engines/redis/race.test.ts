import { FEW, raceOn } from '../../support/race/extent.js'
import { startRedis } from '../../support/services/redis.js'

await raceOn('redis', startRedis, FEW)
