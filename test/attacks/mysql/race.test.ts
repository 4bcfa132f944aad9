import { FULL, raceOn } from '../../support/race/extent.js'
import { startMariadb } from '../../support/services/mariadb.js'

// Each scheme has a driver of its own.
for (const scheme of ['mysql', 'mariadb']) await raceOn('mysql', startMariadb, FULL, scheme)
