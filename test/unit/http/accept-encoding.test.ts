import t from 'tap'
import { acceptsCoding } from '../../../lib/http/accept-encoding.js'

await t.test('accept-encoding: a coding is accepted if it is listed, or the asterisk is, with a weight above zero (RFC 9110 12.5.3)', async (t) => {
  const cases: Array<[field: string | undefined, gzip: boolean]> = [
    [undefined, false], ['', false], ['gzip', true], ['GZIP', true], ['br', false], ['br, gzip', true],
    ['br;q=1.0, gzip;q=0.8', true], ['gzip;q=0', false], ['gzip;q=0.000', false], ['gzip ; q=0', false],
    ['gzip;q=0.001', true], ['*', true], ['*;q=0', false], ['*, gzip;q=0', false], ['*;q=0, gzip', true],
    ['identity', false], ['x-gzip', false], ['gzipped', false], [',, gzip ,', true], ['gzip;level=1;q=0', false]
  ]
  for (const [field, isAccepted] of cases) t.equal(acceptsCoding(field, 'gzip'), isAccepted, String(field))
})
