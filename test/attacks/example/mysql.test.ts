import { chownSync } from 'node:fs'
import { dirname } from 'node:path'
import t from 'tap'
import { certificatesFor } from '../../support/certificates.js'
import { assertEndsWhileEngineHangs, assertOutlivesEngine } from '../../support/example/outages.js'
import { put } from '../../support/example/server-client.js'
import { listening, start } from '../../support/example/server-process.js'
import { driversOf } from '../../support/mysql/drivers.js'
import { notRoot } from '../../support/services/engine-process.js'
import { startMariadb } from '../../support/services/mariadb.js'
import { skipWithoutOwn } from '../../support/services/programs.js'

await t.test('mysql: a server on its bad days', { skip: skipWithoutOwn('mysql') }, async (t) => {
  const service = await startMariadb(t, { own: true })

  for (const scheme of ['mysql', 'mariadb']) {
    const setting = service.url.replace('mysql', scheme)

    await t.test(`${scheme}: it ends, and is restarted: 503 with Retry-After meanwhile, then all is as before`, async (t) => {
      const database = `restarted_${scheme}`
      const [driver] = driversOf(service.url)
      await (await driver!.connect(t)).query(`CREATE DATABASE ${database}`)
      await assertOutlivesEngine(t, service, setting.replace(/test$/, database))
    })

    await t.test(`${scheme}: it hangs: SIGTERM ends the process all the same`, async (t) => {
      await assertEndsWhileEngineHangs(t, service, setting)
    })

    await t.test(`${scheme}: it does not know the password, or the database: the start ends with one line that says so, without the password`, async (t) => {
      for (const wrong of [setting.replace('root@', 'root:hush@'), setting.replace(/test$/, 'nowhere')]) {
        const { exit, log, output } = start(t, { STORAGE: wrong, LOG_LEVEL: 'silent' })
        t.strictSame(await exit, [1, null])
        t.match(log.text(), /^[^\n]*(password|no such database)[^\n]*\n$/)
        t.notMatch(log.text() + output.text(), /hush/)
      }
    })
  }
})

await t.test('mysql: with ssl-mode=VERIFY_IDENTITY the server must have a certificate of its name, which an authority signed that Node.js trusts', { skip: skipWithoutOwn('mysql') }, async (t) => {
  const withCertificateOf = async (names: string) => {
    const { ca, server } = certificatesFor(t, names)
    const user = notRoot()
    for (const path of [dirname(server.certFile), server.certFile, server.keyFile]) {
      if (user !== undefined) chownSync(path, user.uid, user.gid)
    }
    const settings = { 'ssl-cert': server.certFile, 'ssl-key': server.keyFile, 'require-secure-transport': '1' }
    const { url } = await startMariadb(t, { settings })
    return { url: url.replace('127.0.0.1', 'localhost'), trusting: { NODE_EXTRA_CA_CERTS: ca.certFile } }
  }
  const [right, other] = await Promise.all(['DNS:localhost', 'DNS:other.test'].map(withCertificateOf))
  for (const scheme of ['mysql', 'mariadb']) {
    const verified = (url: string): string => `${url.replace('mysql', scheme)}?ssl-mode=VERIFY_IDENTITY`
    for (const env of [
      { STORAGE: right!.url.replace('mysql', scheme), ...right!.trusting },
      { STORAGE: verified(right!.url) },
      { STORAGE: verified(other!.url), ...other!.trusting }
    ]) t.strictSame(await start(t, { ...env, LOG_LEVEL: 'silent' }).exit, [1, null], env.STORAGE)
    const port = await listening(start(t, { STORAGE: verified(right!.url), ...right!.trusting }))
    t.equal((await put(port, scheme)).status, 201)
  }
})
