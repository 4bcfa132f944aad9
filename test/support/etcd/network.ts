import { execFileSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import type { Test } from 'tap'
import type { Place } from '../services/etcd.js'

/** Hosts of their own, in network namespaces, which can be cut off from one another. */
export interface Network {
  places: Place[]
  /** Cuts a host off from the others; from here it is still reached. */
  isolate: (host: number) => void
  /** Takes the cable out: nobody reaches the host. */
  unplug: (host: number) => void
  mend: (host: number) => void
}

function ip (...args: string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] })
}

/** Why no network namespaces can be made here; undefined if they can. With REQUIRE_SERVICES=1 the lack is an error. */
export function networkLack (): string | undefined {
  try {
    execFileSync('unshare', ['--net', 'true'], { stdio: 'ignore' })
    execFileSync('ip', ['netns', 'list'], { stdio: 'ignore' })
    return undefined
  } catch (cause) {
    const lack = 'network namespaces cannot be made here'
    if (process.env['REQUIRE_SERVICES'] === '1') throw new Error(`REQUIRE_SERVICES=1, and ${lack}.`, { cause })
    return lack
  }
}

/** So many hosts on one bridge, which are removed with the test. */
export function networkOf (t: Test, hosts: number): Network {
  const name = `if${randomInt(0x10000, 0x100000).toString(16)}`
  const subnet = `10.${randomInt(64, 255)}.${randomInt(1, 255)}`
  const namesOf = (host: number) => ({
    space: `${name}n${host}`,
    here: `${name}h${host}`,
    there: `${name}t${host}`,
    address: `${subnet}.${host + 2}`
  })
  const all = Array.from({ length: hosts }, (_, host) => namesOf(host))
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
      const { space } = namesOf(host)
      for (const { address } of others(host)) ip('-n', space, 'route', 'add', 'blackhole', `${address}/32`)
    },
    unplug (host) { ip('link', 'set', namesOf(host).here, 'down') },
    mend (host) {
      ip('link', 'set', namesOf(host).here, 'up')
      for (const { address } of others(host)) {
        try {
          ip('-n', namesOf(host).space, 'route', 'delete', 'blackhole', `${address}/32`)
        } catch {}
      }
    }
  }
}
