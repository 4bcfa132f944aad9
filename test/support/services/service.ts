import { randomBytes } from 'node:crypto'
import type { Test } from 'tap'

/** How a service is started. */
export interface ServiceOptions {
  /** As in its configuration. A server with settings is the test's own. */
  settings?: Record<string, string>
  /** Start one for this test alone, because the test stops it or changes what is global to it. */
  own?: boolean
}

/** The owner of a service, usually a test: the service ends with it. */
export type Owner = Pick<Test, 'teardown'>

/** A server for tests: one of their own, or a shared one, whose `pid` is undefined and which no test may stop. */
export interface Service {
  readonly url: string
  readonly pid: number | undefined
  /** SIGKILL, for it and its children; resolves once all of them are gone. */
  kill: () => Promise<void>
  /** SIGSTOP, for it and its children. */
  pause: () => void
  resume: () => void
  /** Starts it again on its port with its data, and kills it first if it runs. Resolves when it answers. */
  restart: () => Promise<void>
}

/** Several servers that are one store. */
export interface Cluster {
  /** The addresses of all members, with commas between them. */
  readonly url: string
  /** One service for each member; those of a shared cluster cannot be stopped. */
  readonly members: Service[]
  /** Resolves once all members agree that they are one cluster, and answer. */
  settled: () => Promise<void>
}

/** A name that no other test uses on a shared server: letters and digits, for a table, a prefix or a key. */
export function uniqueName (): string {
  return `t${randomBytes(8).toString('hex')}`
}

/** The address of an engine as STORAGE of the reference server has it: one scheme, ahead of all hosts. */
export function storageSetting (url: string): string {
  return url.replace(/^http/, 'etcd').replace(/,\w+:\/\//g, ',')
}

/** Whether a test that asks for this may be given the shared server. */
export function mayShare ({ settings, own }: ServiceOptions): boolean {
  return settings === undefined && own !== true
}

/** The shared server at this address. */
export function sharedService (url: string): Service {
  const refuse = (): never => {
    throw new Error('A shared server is not ours to stop: ask for one with { own: true }.')
  }
  return {
    url,
    pid: undefined,
    kill: async () => refuse(),
    pause: refuse,
    resume: refuse,
    restart: async () => refuse()
  }
}

/** The shared cluster at these addresses. */
export function sharedCluster (url: string): Cluster {
  return { url, members: url.split(',').map(sharedService), settled: async () => {} }
}
