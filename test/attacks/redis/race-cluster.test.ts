import { startRedisCluster } from '../../support/services/redis-cluster.js'
import { raceOn } from '../../support/race/engine.js'

await raceOn('redis-cluster', startRedisCluster)
