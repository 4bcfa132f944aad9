import { startEtcd } from '../../support/services/etcd.js'
import { raceOn } from '../../support/race/engine.js'

await raceOn('etcd', startEtcd)
