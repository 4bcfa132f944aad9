import { InvalidAdapterError } from '../../errors.js'
import type { EtcdGateway } from './gateway.js'
import { rightsUnder } from './wire.js'

/**
 * Refuses the boot unless an endpoint answers, is an etcd whose gateway is spoken here, and lets the user read and
 * write under the prefix.
 *
 * @throws FST_IF_MATCH_INVALID_ADAPTER, saying what to mend
 */
export async function checkEtcd (gateway: EtcdGateway, prefix: string): Promise<void> {
  try {
    const { etcdserver } = await gateway.read('/version') as { etcdserver?: unknown }
    if (!isNewEnough(String(etcdserver))) throw new Error('etcd: the server is older than 3.4, or is none. Upgrade it.')
    // Changes nothing, and asks for the rights of all that it could do (engine-facts#etcd-rights-of-both-branches).
    await gateway.read('/v3/kv/txn', rightsUnder(prefix))
  } catch (error) {
    throw new InvalidAdapterError(`cannot use this etcd. ${(error as Error).message}`, { cause: error })
  }
}

function isNewEnough (version: string): boolean {
  const [major, minor] = version.split('.').map(Number) as [number, number]
  return major > 3 || (major === 3 && minor >= 4)
}
