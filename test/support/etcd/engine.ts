import type { Test } from 'tap'
import type { CreateAdapter } from 'fastify-if-match/conformance'
import { etcdAdapter, type EtcdAdapterOptions } from '../../../lib/storage/etcd/index.js'
import { EtcdGateway } from '../../../lib/storage/etcd/gateway.js'
import type { RangeAnswer } from '../../../lib/storage/etcd/wire.js'
import type { ListingAdapter } from '../../../lib/storage/adapter.js'
import { startProxy } from '../services/proxy.js'
import { uniqueName } from '../services/service.js'

/** An open adapter that is closed with the test. */
export async function openedEtcd (t: Test, options: EtcdAdapterOptions): Promise<ListingAdapter> {
  const adapter = etcdAdapter(options)
  await adapter.open!()
  t.teardown(async () => { await adapter.close!() })
  return adapter
}

/** What the conformance suite works on: a prefix of its own, and proxies that cut all of its adapters off. */
export async function subjectsOn (t: Test, url: string): Promise<CreateAdapter> {
  const proxies = await Promise.all(url.split(',').map((origin) => startProxy(t, origin)))
  const endpoints = proxies.map((proxy) => proxy.url)
  return async () => {
    const prefix = `${uniqueName()}/`
    const adapterOf = () => etcdAdapter({ endpoints, prefix })
    return {
      adapter: adapterOf(),
      another: async () => adapterOf(),
      async cut () {
        await Promise.all(proxies.map(async (proxy) => { await proxy.refuse() }))
        return async () => { await Promise.all(proxies.map(async (proxy) => { await proxy.accept() })) }
      }
    }
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

/** Keys and values as the gateway has them. */
export function base64 (text: string): string {
  return Buffer.from(text).toString('base64')
}
