import { SettingError } from '../storage/setting-error.js'

const FLAW_OF_CODE: Readonly<Record<string, [setting: 'HOST' | 'PORT', expectation: string]>> = {
  EADDRINUSE: ['PORT', 'names a port that another process listens on: choose another one, or 0 for any free port'],
  EACCES: ['PORT', 'names a port that this user may not listen on: choose one from 1024 on'],
  EADDRNOTAVAIL: ['HOST', 'names an address that this machine does not have'],
  ENOTFOUND: ['HOST', 'names a host that has no address'],
  EAI_AGAIN: ['HOST', 'names a host whose address cannot be looked up now: name an IP address, or try again later']
}

/**
 * The error for an address on which nothing can listen: of the setting that names it, where one is at fault.
 *
 * @param prefix of the settings that name the host and the port
 */
export function listenError (error: unknown, prefix: '' | 'METRICS_' = ''): unknown {
  const flaw = FLAW_OF_CODE[String((error as { code?: unknown }).code)]
  return flaw === undefined ? error : new SettingError(prefix + flaw[0], flaw[1])
}
