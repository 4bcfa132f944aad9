import { execFileSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import type { Test } from 'tap'
import type { Place } from '../services/etcd.js'

/** Hosts of their own, in network namespaces, which can be cut off from one another. */
export interface Network {
  places: Place[]
  /** Cuts a host off from the others; from here it is still reached. */
  isolate: (at: number) => void
  /** Takes the cable out: nobody reaches the host. */
  unplug: (at: number) => void
  mend: (at: number) => void
}

function ip (...args: string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] })
}

/** Why there are no network namespaces here; undefined if there are. With REQUIRE_SERVICES=1 that is an error. */
export function networkLack (): string | undefined {
  try {
    execFileSync('unshare', ['--net', 'true'], { stdio: 'ignore' })
    execFileSync('ip', ['netns', 'list'], { stdio: 'ignore' })
    return undefined
  } catch (cause) {
    if (process.env['REQUIRE_SERVICES'] === '1') { throw new Error('REQUIRE_SERVICES=1, and network namespaces cannot be made here.', { cause }) }
    return 'network namespaces cannot be made here'
  }
}

/** So many hosts on one bridge; all of it goes with the test. */
export function networkOf (t: Test, hosts: number): Network {
  const name = `if${randomInt(0x10000, 0x100000).toString(16)}`
  const subnet = `10.${randomInt(64, 255)}.${randomInt(1, 255)}`
  const at = (host: number) => ({
    space: `${name}n${host}`,
    here: `${name}h${host}`,
    there: `${name}t${host}`,
    address: `${subnet}.${host + 2}`
  })
  const all = Array.from({ length: hosts }, (_, host) => at(host))
  const others = (host: number) => all.filter((_, other) => other !== host)

  ip('link', 'add', name, 'type', 'bridge')
  t.teardown(() => { ip('link', 'delete', name) })
  ip('addr', 'add', `${subnet}.1/24`, 'dev', name)
  ip('link', 'set', name, 'up')
  for (const { space, here, there, address } of all) {
    ip('netns', 'add', space)
    t.teardown(() => { ip('netns', 'delete', space) })
    ip('link', 'add', here, 'type', 'veth', 'peer', 'name', there, 'netns', space)
    ip('link', 'set', here, 'master', name, 'up')
    ip('-n', space, 'addr', 'add', `${address}/24`, 'dev', there)
    ip('-n', space, 'link', 'set', there, 'up')
    ip('-n', space, 'link', 'set', 'lo', 'up')
  }

  return {
    places: all.map(({ space, address }) => ({ host: address, through: ['ip', 'netns', 'exec', space] })),
    isolate (host) {
      for (const { address } of others(host)) ip('-n', at(host).space, 'route', 'add', 'blackhole', `${address}/32`)
    },
    unplug (host) { ip('link', 'set', at(host).here, 'down') },
    mend (host) {
      ip('link', 'set', at(host).here, 'up')
      for (const { address } of others(host)) {
        try {
          ip('-n', at(host).space, 'route', 'delete', 'blackhole', `${address}/32`)
        } catch {}
      }
    }
  }
}
