import { InvalidAdapterError } from '../../errors.js'
import type { EtcdGateway } from './gateway.js'
import { rightsUnder } from './wire.js'

/**
 * Looks whether an endpoint answers, whether it is an etcd with the gateway that is spoken here, and whether it lets the
 * user read and write under the prefix.
 *
 * @throws FST_IF_MATCH_INVALID_ADAPTER, saying what to mend
 */
export async function checkEtcd (gateway: EtcdGateway, prefix: string): Promise<void> {
  try {
    const { etcdserver } = await gateway.read('/version') as { etcdserver?: unknown }
    if (!isNewEnough(String(etcdserver))) throw new Error('etcd: the server is older than 3.4, or is none. Upgrade it.')
    // Rights are checked for what a transaction might do, whether it does it or not.
    await gateway.read('/v3/kv/txn', rightsUnder(prefix))
  } catch (error) {
    throw new InvalidAdapterError(`cannot use this etcd. ${(error as Error).message}`, { cause: error })
  }
}

function isNewEnough (version: string): boolean {
  const [major, minor] = version.split('.').map(Number) as [number, number]
  return major > 3 || (major === 3 && minor >= 4)
}
