import { FEW, raceOn } from '../../support/race/extent.js'
import { startRedisCluster } from '../../support/services/redis-cluster.js'

await raceOn('redis-cluster', startRedisCluster, FEW)
