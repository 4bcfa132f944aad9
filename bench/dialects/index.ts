import { azurite } from './azurite.js'
import type { Dialect } from './dialect.js'
import { etcdGateway } from './etcd-gateway.js'
import { express } from './express.js'
import { offers } from './offers.js'
import { solid } from './solid.js'

export type { Dialect } from './dialect.js'

const dialects: Readonly<Record<string, Dialect>> = { offers, express, azurite, solid, 'etcd-gateway': etcdGateway }

/** @throws Error if there is none of this name */
export function dialectOf (name: string): Dialect {
  const dialect = dialects[name]
  if (dialect === undefined) throw new Error(`there is no dialect "${name}".`)
  return dialect
}
