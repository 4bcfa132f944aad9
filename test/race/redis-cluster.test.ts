import { startRedisCluster } from '../services/redis-cluster.js'
import { raceOn } from './engine.js'

await raceOn('redis-cluster', startRedisCluster)
