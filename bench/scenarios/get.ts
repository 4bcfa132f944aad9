import type { Scenario } from './scenario.js'

export const get: Scenario = {
  name: 'get',
  method: 'GET',
  path: '/offers/',
  precondition: () => ({}),
  status: 200,
  changesTag: false
}
