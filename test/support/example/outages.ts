import { setTimeout as delay } from 'node:timers/promises'
import type { Test } from 'tap'
import type { Service } from '../services/service.js'
import { until } from '../until.js'
import { put } from './server-client.js'
import { listening, start } from './server-process.js'

/** The engine hangs, and SIGTERM ends the server all the same. */
export async function assertEndsWhileEngineHangs (t: Test, service: Service, setting: string): Promise<void> {
  const { child, exit, output, log } = start(t, { STORAGE: setting })
  await output.says(/listens at/)
  service.pause()
  t.teardown(() => { service.resume() })
  child.kill('SIGTERM')
  const gaveUp = new AbortController()
  t.strictSame(await Promise.race([exit, delay(60_000, 'it hangs', { signal: gaveUp.signal })]), [0, null], log.text())
  gaveUp.abort()
}

/** The engine ends, and is restarted: 503 with Retry-After meanwhile, then all is as before. */
export async function assertOutlivesEngine (t: Test, service: Service, setting: string): Promise<void> {
  const port = await listening(start(t, { STORAGE: setting }))
  t.equal((await put(port, 'tide-db')).status, 201)
  await service.kill()
  for (let count = 0; count < 5; count++) {
    const response = await put(port, 'ghost')
    t.equal(response.status, 503)
    t.match(response.headers.get('retry-after'), /^\d+$/)
  }
  await service.restart()
  const status = await until('the server writes again', async () => {
    const { status } = await put(port, 'ghost')
    return status !== 503 && status
  })
  t.equal(status, 201, 'nothing of what was answered 503 was written')
}
