import t from 'tap'
import { runClientChecks } from '../../support/example/client-checks.js'
import { OFFER, offersUrl } from '../../support/example/app.js'
import { clientOf, poll } from '../../support/example/client.js'
import { sharedSetting } from '../../support/example/storage.js'
import { listening, processes, start } from '../../support/example/server-process.js'

await t.test('killed in the middle of a publication: it goes on where it was, with the steps that it began with, and the same answers', async (t) => {
  const STEP = 400
  const STORAGE = await sharedSetting(t)
  const restart = async (STEP_MS: number) => {
    const server = start(t, { STORAGE, STEP_MS: String(STEP_MS) })
    const request = clientOf(`http://127.0.0.1:${await listening(server)}`, {
      authorization: 'Bearer dev-contoso',
      'content-type': 'application/json'
    })
    const get = async (path: string) =>
      await request('GET', path.startsWith('/api') ? path : offersUrl(`/tide-db${path}`))
    return {
      put: async () => await request('PUT', offersUrl('/tide-db'), { 'if-match': '*' }, OFFER),
      act: async (action: string) => await request('POST', offersUrl(`/tide-db/${action}`), { 'if-match': '*' }),
      read: async (path: string): Promise<any> => await (await get(path)).json(),
      tag: async () => (await get('')).headers.get('etag'),
      kill: async () => {
        server.child.kill('SIGKILL')
        t.strictSame(await server.exit, [null, 'SIGKILL'])
      }
    }
  }
  const first = await restart(STEP)
  await first.put()
  const operation = (await first.act('publish')).headers.get('location')!
  const [submission] = await first.read('/submissions')
  t.match(await first.read(operation), { status: 'running', steps: [{ status: 'inProgress' }] })
  const version = await first.read('/versions/1')
  await first.kill()

  // Its own steps would take forever.
  const second = await restart(999_999_999)
  const waiting = await poll(
    async () => await second.read(operation),
    ({ steps }) => steps[4].status === 'waitingForPublisherReview'
  )
  t.strictSame([waiting.status, waiting.publishingVersion], ['running', 1])
  const [moved] = await second.read('/submissions')
  t.equal(
    Date.parse(moved.changedTime) - Date.parse(submission.changedTime),
    4 * STEP,
    'when it was due, and not when somebody looked'
  )
  t.strictSame({ ...moved, changedTime: 0, version: 0 }, { ...submission, changedTime: 0, version: 0 })
  t.strictSame(await second.read('/versions/1'), { ...version, status: 'waitingForPublisherReview' })
  const tag = await second.tag()
  t.equal((await second.act('golive')).status, 202)
  await second.kill()

  const third = await restart(1)
  await poll(async () => await third.read(operation), ({ status }) => status === 'complete')
  t.match(await third.read('/slot/production'), { status: 'succeeded', version: 1 })
  t.not(await third.tag(), tag)
})

await t.test('WORKERS=2: the client checks come out as with one process', async (t) => {
  const tokens = Array.from({ length: 7 }, (_, at) => `token-${at}`)
  const server = start(t, {
    STORAGE: await sharedSetting(t),
    WORKERS: '2',
    STEP_MS: '5',
    TOKENS: tokens.map((token, at) => `${token}=publisher-${at}:owner`).join()
  })
  const origin = `http://127.0.0.1:${await listening(server)}`
  let at = 0
  await runClientChecks(t, 'WORKERS=2', async () => ({ origin, token: tokens[at]!, publisher: `publisher-${at++}` }))
  server.child.kill('SIGTERM')
  t.strictSame(await server.exit, [0, null])
  t.equal(processes(server.log.text()).size, 2, 'both processes answered')
  t.notMatch(server.log.text(), /"level":[56]0/)
})
