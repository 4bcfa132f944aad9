import { whole, type Scenario } from './scenario.js'

/** A write under the tag that the last answer had. */
export const put: Scenario = {
  name: 'put',
  method: 'PUT',
  path: '/offers/',
  precondition: (tag) => ({ 'if-match': tag }),
  body: whole,
  status: 200,
  changesTag: true
}
