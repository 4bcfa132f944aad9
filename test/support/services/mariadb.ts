import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { newFolder, notRoot, startEngine, type Engine } from './engine-process.js'
import { freePort, onFreePorts } from './free-port.js'
import { programOf, sharedUrl } from './programs.js'
import { mayShare, sharedService, type Owner, type Service, type ServiceOptions } from './service.js'

// A small one, which starts in a second. Text is UTF-8, as Debian configures the server.
const SETTINGS = {
  'bind-address': '127.0.0.1',
  'skip-name-resolve': '1',
  'character-set-server': 'utf8mb4',
  'innodb-buffer-pool-size': '32M',
  'innodb-log-file-size': '16M',
  'innodb-flush-log-at-trx-commit': '1'
}

/**
 * The MariaDB or MySQL at MYSQL_URL, or a MariaDB of the test's own, with a user `root` without a password and an empty
 * database `test`. Settings are those of my.cnf, with dashes in their names; every COMMIT is synced, as by default.
 */
export async function startMariadb (t: Owner, options: ServiceOptions = {}): Promise<Service> {
  const shared = sharedUrl('mysql')
  if (shared !== undefined && mayShare(options)) return sharedService(shared)
  return await onFreePorts(async () => await startEngine(t, await newMariadb(await freePort(), options.settings)))
}

/** How a MariaDB on this port is started. Its data are new. */
export async function newMariadb (port: number, settings: Record<string, string> = {}): Promise<Engine> {
  const user = notRoot()
  const folder = newFolder('mariadb', user)
  const data = join(folder, 'data')
  // No file of the machine's own settings is read. A server that starts removes what others left in the folder of
  // temporary tables, and does not know whether they still run.
  const own = ['--no-defaults', `--datadir=${data}`, `--tmpdir=${folder}`]
  await promisify(execFile)(
    programOf('mariadb-install-db'),
    [...own, '--auth-root-authentication-method=normal', '--innodb-log-file-size=16M'],
    { cwd: folder, ...user }
  )
  const all = {
    port: String(port),
    socket: join(folder, 'socket'),
    'pid-file': join(folder, 'pid'),
    ...SETTINGS,
    ...settings
  }
  return {
    url: `mysql://root@127.0.0.1:${port}/test`,
    command: [programOf('mariadbd'), ...own, ...Object.entries(all).map(([name, value]) => `--${name}=${value}`)],
    folder,
    user,
    ready: /ready for connections/
  }
}
