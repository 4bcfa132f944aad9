import t from 'tap'
import { neverConnected } from '../../../../lib/storage/kit/never-connected.js'

const at = (syscall: string): Error => Object.assign(new Error('simulated'), { syscall })

await t.test('no connection was made if the host refused it or has no address, at each of its addresses', async (t) => {
  for (const syscall of ['connect', 'getaddrinfo']) t.ok(neverConnected(at(syscall)))
  t.ok(neverConnected(new AggregateError([at('connect'), at('connect')])))
  t.notOk(neverConnected(new AggregateError([at('connect'), at('read')])))
  t.notOk(neverConnected(new AggregateError([])), 'an empty list says nothing')
  for (const error of [at('read'), at('write'), new Error('simulated'), undefined, null]) t.notOk(neverConnected(error))
})
