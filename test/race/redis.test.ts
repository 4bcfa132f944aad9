import { startRedis } from '../services/redis.js'
import { raceOn } from './engine.js'

await raceOn('redis', startRedis)
