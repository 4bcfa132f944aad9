import { startEtcd } from '../services/etcd.js'
import { raceOn } from './engine.js'

await raceOn('etcd', startEtcd)
