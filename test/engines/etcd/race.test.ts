import { FEW, raceOn } from '../../support/race/extent.js'
import { startEtcd } from '../../support/services/etcd.js'

await raceOn('etcd', startEtcd, FEW)
