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

    await t.test(`${scheme}: it does not know the password, or the database: the start ends with one line that shows neither`, async (t) => {
      for (const wrong of [setting.replace('root@', 'root:hush@'), setting.replace(/test$/, 'hush')]) {
        const { exit, log, output } = start(t, { STORAGE: wrong, LOG_LEVEL: 'silent' })
        t.strictSame(await exit, [1, null])
        t.match(log.text(), /^[^\n]*(password|no such database)[^\n]*\n$/)
        t.notMatch(log.text() + output.text(), /hush/)
      }
    })
  }
})

await t.test('mysql: with ssl-mode=VERIFY_IDENTITY the server must have a certificate that an authority of Node.js signed', { skip: skipWithoutOwn('mysql') }, async (t) => {
  const { ca, server } = certificatesFor(t)
  const user = notRoot()
  for (const path of [dirname(server.certFile), server.certFile, server.keyFile]) {
    if (user !== undefined) chownSync(path, user.uid, user.gid)
  }
  const service = await startMariadb(t, {
    settings: { 'ssl-cert': server.certFile, 'ssl-key': server.keyFile, 'require-secure-transport': '1' }
  })
  for (const scheme of ['mysql', 'mariadb']) {
    const plain = service.url.replace('mysql', scheme)
    const verified = `${plain}?ssl-mode=VERIFY_IDENTITY`
    const trusting = { NODE_EXTRA_CA_CERTS: ca.certFile }
    for (const env of [
      { STORAGE: plain, ...trusting },
      { STORAGE: verified },
      // The certificate names 127.0.0.1 alone.
      { STORAGE: verified.replace('127.0.0.1', 'localhost'), ...trusting }
    ]) t.strictSame(await start(t, { ...env, LOG_LEVEL: 'silent' }).exit, [1, null], env.STORAGE)
    const port = await listening(start(t, { STORAGE: verified, ...trusting }))
    t.equal((await put(port, scheme)).status, 201)
  }
})
