import { startPostgres } from '../../support/services/postgres.js'
import { raceOn } from '../../support/race/engine.js'

await raceOn('postgres', startPostgres)
