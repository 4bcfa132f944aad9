import { startPostgres } from '../services/postgres.js'
import { raceOn } from './engine.js'

await raceOn('postgres', startPostgres)
