import { FEW, raceOn } from '../../support/race/extent.js'
import { startMariadb } from '../../support/services/mariadb.js'

// The other driver races in the attacks alone.
await raceOn('mysql', startMariadb, FEW)
