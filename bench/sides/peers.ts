import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Side } from './side.js'

const FOLDER = 'bench/peers'

const peer = (name: string, scenarios: readonly string[], dialect = 'offers'): Record<string, Side> =>
  ({ [name]: { script: resolve(FOLDER, `${name}.js`), scenarios, dialect } })

const READS = ['get', 'get-304']
const WRITES = ['put', 'put-412', 'put-412-small']

/**
 * Other servers that know conditional requests, each in a process of its own. `npm run bench:peers` installs them; that
 * of etcd needs nothing of it.
 */
export const peers: Readonly<Record<string, Side>> = {
  ...peer('fastify-etag', READS),
  ...peer('express-preconditions', [...WRITES, ...READS], 'express'),
  ...peer('restify', [...WRITES, 'put-hot', ...READS]),
  ...peer('azurite', [...WRITES, ...READS], 'azurite'),
  ...peer('solid', [...WRITES, ...READS], 'solid'),
  ...peer('etcd-gateway', ['put'], 'etcd-gateway')
}

/** Whether the peers are installed. */
export function hasPeers (): boolean {
  return existsSync(`${FOLDER}/node_modules`)
}
