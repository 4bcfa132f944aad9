import { accessSync, constants, existsSync, readdirSync, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** The programs that start and stop a service, and the variable that holds the address of a shared server. */
export const SERVICES = {
  postgres: { programs: ['postgres', 'initdb', 'ps'], variable: 'POSTGRES_URL' },
  pgbouncer: { programs: ['pgbouncer', 'ps'], variable: undefined },
  mysql: { programs: ['mariadbd', 'mariadb-install-db', 'ps'], variable: 'MYSQL_URL' },
  galera: { programs: ['mariadbd', 'mariadb-install-db', 'wsrep_sst_rsync', 'rsync', 'ps'], variable: undefined },
  redis: { programs: ['redis-server', 'ps'], variable: 'REDIS_URL' },
  'redis-cluster': { programs: ['redis-server', 'redis-cli', 'ps'], variable: 'REDIS_CLUSTER_URL' },
  etcd: { programs: ['etcd', 'ps'], variable: 'ETCD_URL' },
  strace: { programs: ['strace'], variable: undefined },
  curl: { programs: ['curl'], variable: undefined },
  'network namespaces': { programs: ['unshare', 'ip'], variable: undefined }
} as const

export type ServiceName = keyof typeof SERVICES

export const SERVICE_NAMES = Object.keys(SERVICES) as ServiceName[]

/** The address of a server that all tests share: what runs them may set it, and so may the developer. */
export function sharedUrl (name: ServiceName): string | undefined {
  const { variable } = SERVICES[name]
  return variable === undefined ? undefined : process.env[variable]
}

/** The programs of a service that are not installed. */
export function missingPrograms (name: ServiceName): string[] {
  return SERVICES[name].programs.filter((program) => findProgram(program) === undefined)
}

/** For `{ skip }` of a test that needs these services: false, or the reason. With REQUIRE_SERVICES=1 it throws. */
export function skipWithout (...names: ServiceName[]): string | false {
  return skipWithoutOwn(...names.filter((name) => sharedUrl(name) === undefined))
}

/** As `skipWithout`, for a test that stops, kills or configures a server: a shared one will not do. */
export function skipWithoutOwn (...names: ServiceName[]): string | false {
  const missing = [...new Set(names.flatMap(missingPrograms))]
  if (missing.length === 0) return false
  const reason = `no ${missing.join(', ')} on PATH`
  if (process.env['REQUIRE_SERVICES'] === '1') throw new Error(`REQUIRE_SERVICES=1, and ${reason}: install it.`)
  return reason
}

/** Where a program is. Debian keeps the servers beside the folders of PATH: in sbin, and each PostgreSQL in its own. */
export function findProgram (name: string): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '')
  const beside = folders.flatMap((folder) => [
    join(folder, '../sbin'),
    ...postgresFolders(join(folder, '../lib/postgresql'))
  ])
  return [...folders, ...beside].map((folder) => join(folder, name)).find(isExecutable)
}

/** The folders of all versions of PostgreSQL, the newest first. */
function postgresFolders (root: string): string[] {
  const versions = existsSync(root) ? readdirSync(root).sort((one, other) => Number(other) - Number(one)) : []
  return versions.map((version) => join(root, version, 'bin'))
}

function isExecutable (path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

/** Where a program is. @throws Error if it is not installed */
export function programOf (name: string): string {
  const path = findProgram(name)
  if (path === undefined) throw new Error(`There is no ${name} on PATH: skip this test with skipWithout().`)
  return path
}
