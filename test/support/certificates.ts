import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'

/** A key and its certificate: the files, and what is in them. */
export interface Certificate { certFile: string, keyFile: string, cert: string, key: string }

/**
 * An authority of its own for a test, and what it signed for a server and a client.
 *
 * @param names those of the server, as OpenSSL writes them
 */
export function certificatesFor (
  t: Test,
  names = 'IP:127.0.0.1, DNS:etcd.test'
): Record<'ca' | 'server' | 'client', Certificate> {
  const folder = mkdtempSync(join(tmpdir(), 'fastify-if-match-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const openssl = (...args: string[]) => {
    execFileSync('openssl', args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] })
  }
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']

  openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.crt', '-subj', '/CN=test authority', '-days', '2')
  writeFileSync(
    join(folder, 'extensions'),
    `subjectAltName = ${names}\nextendedKeyUsage = serverAuth, clientAuth\n`
  )
  for (const name of ['server', 'client']) {
    openssl('req', ...key, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`)
    openssl(
      'x509',
      '-req',
      '-in',
      `${name}.csr`,
      '-CA',
      'ca.crt',
      '-CAkey',
      'ca.key',
      '-CAcreateserial',
      '-out',
      `${name}.crt`,
      '-days',
      '2',
      '-extfile',
      'extensions'
    )
  }

  const read = (name: string): Certificate => {
    const certFile = join(folder, `${name}.crt`)
    const keyFile = join(folder, `${name}.key`)
    return { certFile, keyFile, cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') }
  }
  return { ca: read('ca'), server: read('server'), client: read('client') }
}
