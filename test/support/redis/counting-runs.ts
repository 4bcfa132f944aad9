import { once } from 'node:events'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import type { Test } from 'tap'
import { uniqueName } from '../services/service.js'
import { until } from '../until.js'
import { lookingAt } from './clients.js'

/**
 * Watches the servers at these addresses, and gives a function that tells how often they have run a command on keys
 * under this prefix. Others may use the servers at the same time.
 */
export async function countingRuns (
  t: Test, url: string, command: string, prefix: string
): Promise<() => Promise<number>> {
  const counters = await Promise.all(url.split(',').map(async (member) => await countingOn(t, member, command, prefix)))
  return async () => (await Promise.all(counters.map(async (count) => await count()))).reduce((sum, runs) => sum + runs)
}

async function countingOn (t: Test, url: string, command: string, prefix: string): Promise<() => Promise<number>> {
  const server = lookingAt(t, url)
  const { hostname, port } = new URL(url)
  // Not by ioredis: it fails where the server tells of a command together with its answer to MONITOR.
  const socket = connect({ host: hostname, port: Number(port) })
  t.teardown(() => { socket.destroy() })
  const lines = createInterface(socket)
  socket.write('MONITOR\r\n')
  await once(lines, 'line')
  // Such as: +1795894955.460270 [0 127.0.0.1:40708] "EVALSHA" "f6cb" "1" "prefix:{k}"
  const isRun = new RegExp(`^[^"]+"${command}" .*"${prefix}`, 'i')
  let runs = 0
  let mark = ''
  let isMarked = false
  lines.on('line', (line: string) => {
    if (isRun.test(line)) runs++
    isMarked ||= mark !== '' && line.includes(mark)
  })
  return async () => {
    // The server tells in order, so once it has told of this command it has told of all before it.
    mark = uniqueName()
    isMarked = false
    await server.call('ECHO', mark)
    await until('the server has told of all', () => isMarked)
    return runs
  }
}
