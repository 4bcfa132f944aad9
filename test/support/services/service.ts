import { randomBytes } from 'node:crypto'
import type { Test } from 'tap'

/** At whose end a service ends: a test. */
export type Owner = Pick<Test, 'teardown'>

/** A server for tests: one of their own, or a given one, whose `pid` is undefined and which no test may stop. */
export interface Service {
  readonly url: string
  readonly pid: number | undefined
  /** SIGKILL, for it and its children; resolves once all of them are gone. */
  kill: () => Promise<void>
  /** SIGSTOP, for it and its children. */
  pause: () => void
  resume: () => void
  /** Again, on the same port with the same data, killed first if it still runs; resolves once it answers. */
  restart: () => Promise<void>
}

/** Several servers that are one store. */
export interface Cluster {
  /** The addresses of all members, with commas between them. */
  readonly url: string
  /** Each of its own; none of a given cluster may be stopped. */
  readonly members: Service[]
  /** Resolves once all members agree that they are one cluster, and answer. */
  settled: () => Promise<void>
}

/** A name that nobody else uses on a shared server: letters and digits, for a table, a prefix or a key. */
export function uniqueName (): string {
  return `t${randomBytes(8).toString('hex')}`
}

/** The address of an engine as STORAGE of the reference server has it: one scheme, ahead of all hosts. */
export function storageSetting (url: string): string {
  return url.replace(/^http/, 'etcd').replace(/,\w+:\/\//g, ',')
}

/** The server at an address that the developer gave. */
export function givenService (url: string): Service {
  const refuse = (): never => { throw new Error('A given server is not ours to stop: skip this test with skipWithoutOwn().') }
  return { url, pid: undefined, kill: async () => refuse(), pause: refuse, resume: refuse, restart: async () => refuse() }
}

/** The cluster at the addresses that the developer gave. */
export function givenCluster (url: string): Cluster {
  return { url, members: url.split(',').map(givenService), settled: async () => {} }
}
