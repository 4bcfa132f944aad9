import type { Test } from 'tap'
import { conformanceSuite, type CreateAdapter } from 'fastify-if-match/conformance'
import { etcdAdapter, type EtcdAdapterOptions } from '../../../lib/storage/etcd/index.js'
import { EtcdGateway } from '../../../lib/storage/etcd/gateway.js'
import type { RangeAnswer } from '../../../lib/storage/etcd/wire.js'
import type { ListingAdapter } from '../../../lib/storage/adapter.js'
import { cutBy } from '../cut-by.js'
import { startProxy } from '../services/proxy.js'
import { uniqueName } from '../services/service.js'
import { base64 } from './base64.js'

/** An open adapter that is closed with the test. */
export async function openedEtcd (t: Test, options: EtcdAdapterOptions): Promise<ListingAdapter> {
  const adapter = etcdAdapter(options)
  await adapter.open!()
  t.teardown(async () => { await adapter.close!() })
  return adapter
}

/** The conformance suite, several cases at a time: each has a prefix and proxies of its own. */
export async function conformance (t: Test, url: string): Promise<void> {
  t.jobs = 8
  await conformanceSuite({
    test: async (title, run) => await t.test(title, { buffered: true }, run),
    createAdapter: subjectsOn(t, url)
  })
}

function subjectsOn (t: Test, url: string): CreateAdapter {
  return async () => {
    const proxies = await Promise.all(url.split(',').map(async (origin) => await startProxy(t, origin)))
    const endpoints = proxies.map((proxy) => proxy.url)
    const prefix = `${uniqueName()}/`
    const make = (): ListingAdapter => etcdAdapter({ endpoints, prefix })
    return { adapter: make(), another: async () => make(), ...cutBy(proxies) }
  }
}

/** A client of the gateway, beside the adapters. */
export function gatewayOf (t: Test, url: string): EtcdGateway {
  const gateway = new EtcdGateway({ endpoints: url.split(','), timeout: 10_000 })
  t.teardown(() => { gateway.close() })
  return gateway
}

/** The newest revision of the store. */
export async function revisionOf (gateway: EtcdGateway): Promise<bigint> {
  const { header } = await gateway.read('/v3/kv/range', { key: base64('anything') }) as RangeAnswer
  return BigInt(header.revision)
}
