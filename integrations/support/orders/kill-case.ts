import { fork } from 'node:child_process'
import { once } from 'node:events'
import type { Test } from 'tap'
import { newApp } from '../../../test/support/offers-app.js'
import { ABSENT } from '../../../test/support/expectations.js'
import { addOrders } from './app.js'
import type { OrdersClient, Subject } from './client.js'
import { nextId } from './ids.js'
import type { Message } from './server.js'
import type { OrdersStore } from './store.js'
import { wave } from './transaction-cases.js'

/** A server of the client in another process ends between two statements of a transaction. */
export async function killCase (
  t: Test,
  { module }: Subject,
  client: OrdersClient,
  { address }: OrdersStore
): Promise<void> {
  await t.test('kill -9 of the server between two statements: nothing is stored, and the next PUT under the old tag is applied', async (t) => {
    const app = newApp(t)
    await addOrders(app, client)
    const url = `/orders/${nextId()}`
    const created = await client.adapter.write(url, wave, ABSENT)
    if (!created.applied) throw new Error('not stored')
    const headers = { 'if-match': `"${created.version}"` }

    // Without the hooks of tap.
    const server = fork(new URL('./server.js', import.meta.url), [module.href, address], {
      execArgv: [],
      env: { ...process.env, NODE_OPTIONS: '' }
    })
    const exited = once(server, 'exit')
    t.teardown(() => { server.kill('SIGKILL') })
    const next = async (): Promise<Message> => {
      const ended = exited.then(() => { throw new Error('the server ended') })
      const [message] = await Promise.race([once(server, 'message'), ended])
      return message as Message
    }
    const { port } = await next() as { port: number }
    const answer = fetch(`http://127.0.0.1:${port}${url}`, { method: 'POST', headers })
    const early = answer.then(async (response) => { throw new Error(`answered: ${await response.text()}`) })
    t.strictSame(await Promise.race([next(), early]), { at: 'between two statements' })
    server.kill('SIGKILL')
    await Promise.all([exited, t.rejects(answer)])

    const read = await app.inject(url)
    t.strictSame([read.headers.etag, read.json()], [headers['if-match'], wave])
    const changed = { ...wave, customer: 'After the crash', lines: [] }
    const put = await app.inject({ method: 'PUT', url, headers, payload: changed })
    t.strictSame([put.statusCode, put.json()], [200, changed])
  })
}
