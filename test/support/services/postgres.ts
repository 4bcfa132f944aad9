import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { newFolder, notRoot, startEngine } from './engine-process.js'
import { freePort, onFreePorts } from './free-port.js'
import { sharedUrl, programOf } from './programs.js'
import { sharedService, mayShare, type Owner, type Service, type ServiceOptions } from './service.js'

/**
 * The PostgreSQL at POSTGRES_URL, or one of the test's own, with a superuser without a password. Settings are those of
 * postgresql.conf; fsync and synchronous_commit are on, as they are by default.
 */
export async function startPostgres (t: Owner, options: ServiceOptions = {}): Promise<Service> {
  const shared = sharedUrl('postgres')
  if (shared !== undefined && mayShare(options)) return sharedService(shared)
  const user = notRoot()
  return await onFreePorts(async () => {
    const port = await freePort()
    const folder = newFolder('postgres', user)
    const data = join(folder, 'data')
    await promisify(execFile)(
      programOf('initdb'),
      ['--no-sync', '--auth=trust', '--username=postgres', '--encoding=UTF8', '--locale=C', data],
      { cwd: folder, ...user }
    )
    const all = { port: String(port), listen_addresses: '127.0.0.1', unix_socket_directories: '', ...options.settings }
    return await startEngine(t, {
      url: `postgres://postgres@127.0.0.1:${port}/postgres`,
      command: [
        programOf('postgres'),
        '-D',
        data,
        ...Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])
      ],
      folder,
      user,
      ready: /ready to accept connections/,
      // An immediate shutdown: engine-facts#postgres-sigkill-shared-memory
      stop: 'SIGQUIT'
    })
  })
}
