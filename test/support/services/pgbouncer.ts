import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { newFolder, notRoot, startEngine } from './engine-process.js'
import { freePort, onFreePorts } from './free-port.js'
import { programOf } from './programs.js'
import type { Service, Owner } from './service.js'

export interface PgbouncerOptions {
  /** As in pgbouncer.ini, in its section [pgbouncer]. */
  settings?: Record<string, string>
}

/** A PgBouncer in transaction mode in front of the PostgreSQL at this address; it asks for no password. */
export async function startPgbouncer (
  t: Owner,
  postgresUrl: string,
  { settings }: PgbouncerOptions = {}
): Promise<Service> {
  const { hostname, port: behind, username, password, pathname } = new URL(postgresUrl)
  const user = notRoot()
  return await onFreePorts(async () => {
    const port = await freePort()
    const folder = newFolder('pgbouncer', user)
    const all = {
      listen_addr: '127.0.0.1',
      listen_port: String(port),
      unix_socket_dir: '',
      auth_type: 'any',
      pool_mode: 'transaction',
      ...settings
    }
    const login = {
      host: hostname,
      port: behind,
      user: decodeURIComponent(username),
      ...(password !== '' && { password: decodeURIComponent(password) })
    }
    const lines = (entries: Record<string, string>): string[] =>
      Object.entries(entries).map(([name, value]) => `${name}=${value}`)
    const file = join(folder, 'pgbouncer.ini')
    writeFileSync(file, ['[databases]', `* = ${lines(login).join(' ')}`, '[pgbouncer]', ...lines(all), ''].join('\n'))
    return await startEngine(t, {
      url: `postgres://${username}@127.0.0.1:${port}${pathname}`,
      command: [programOf('pgbouncer'), file],
      folder,
      user,
      ready: /process up/
    })
  })
}
