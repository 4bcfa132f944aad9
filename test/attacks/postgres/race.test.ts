import { FULL, raceOn } from '../../support/race/extent.js'
import { startPostgres } from '../../support/services/postgres.js'

await raceOn('postgres', startPostgres, FULL)
