/** Where an engine on other machines is: `STORAGE`, taken apart. */
export interface StorageAddress {
  scheme: string
  /** One or several, each with its port. */
  hosts: Array<{ host: string, port: number }>
  user?: string | undefined
  password?: string | undefined
  /** What follows the hosts, without the slash. */
  path: string
  /** How the names of all keys begin. */
  prefix?: string | undefined
  /** How TLS is used, for an engine whose scheme does not say so. */
  'ssl-mode'?: string | undefined
}

const FORM = /^([a-z]+):\/\/(?:([^@/?#]*)@)?([^@/?#]+)(?:\/([^?#]*))?(?:\?([^#]*))?$/

/**
 * Reads `scheme://[user[:password]@]host[:port][,host[:port]...][/path][?prefix=...]`. A text of another form is
 * undefined.
 *
 * @param parameter the one that the engine has
 */
export function parseAddress (
  text: string,
  defaultPort: number,
  parameter: 'prefix' | 'ssl-mode' = 'prefix'
): StorageAddress | undefined {
  const [, scheme, credentials, hosts, path = '', parameters] = FORM.exec(text) ?? []
  if (scheme === undefined || hosts === undefined) return undefined
  const { [parameter]: value, ...unknown } = Object.fromEntries(new URLSearchParams(parameters))
  if (Object.keys(unknown).length > 0) return undefined
  try {
    const [user, ...password] = (credentials ?? '').split(':')
    return {
      scheme,
      hosts: hosts.split(',').map((host) => hostOf(host, defaultPort)),
      user: decodeURIComponent(user!) || undefined,
      password: decodeURIComponent(password.join(':')) || undefined,
      path: decodeURIComponent(path),
      [parameter]: value || undefined
    }
  } catch {
    return undefined
  }
}

/** The address as it may be shown: without user, password and parameters, whatever its form. */
export function withoutSecrets (address: string): string {
  return address.replace(/\/\/.*@/s, '//').replace(/\?.*/s, '')
}

function hostOf (text: string, defaultPort: number): { host: string, port: number } {
  const { hostname, port } = new URL(`engine://${text}`)
  if (hostname === '') throw new TypeError('no host')
  return { host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? defaultPort : Number(port) }
}
