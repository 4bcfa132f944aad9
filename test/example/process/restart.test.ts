import t, { type Test } from 'tap'
import type { StorageAdapter } from 'fastify-if-match'
import type { OfferRecord } from '../../../example/offers/record.js'
import { createStorage } from '../../../example/storage/index.js'
import { OFFER, offersUrl } from '../../support/example/app.js'
import { clientOf } from '../../support/example/client.js'
import { listening, start } from '../../support/example/server-process.js'
import { sharedSetting } from '../../support/example/storage.js'
import { versionIn } from '../../support/expectations.js'

// More than a day, so that no step ends by itself while the test runs.
const STEP = 100_000_000

/** Starts a server on this storage, as a new process. */
async function startServer (t: Test, STORAGE: string, stepMs: number) {
  const server = start(t, { STORAGE, STEP_MS: String(stepMs) })
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

/** Lets steps of the publication pass: its stored times move into the past. */
async function pass (STORAGE: string, steps: number): Promise<void> {
  const storage = await createStorage(STORAGE) as StorageAdapter<OfferRecord>
  await storage.open?.()
  const key = '/publishers/contoso/offers/tide-db'
  const { value, version } = (await storage.read(key))!
  const [{ startedAt, signOffAt, goLive, ...newest }] = value.submissions as [OfferRecord['submissions'][0]]
  const earlier = (time: number): number => time - steps * STEP
  const moved = {
    ...newest,
    startedAt: earlier(startedAt),
    ...signOffAt !== undefined && { signOffAt: earlier(signOffAt) },
    ...goLive !== undefined && { goLive: { ...goLive, startedAt: earlier(goLive.startedAt) } }
  }
  await storage.write(key, { ...value, submissions: [moved] }, versionIn(version))
  await storage.close?.()
}

await t.test('killed in the middle of a publication: it goes on where it was, with the steps that it began with, and the same answers', async (t) => {
  const STORAGE = await sharedSetting(t)
  const first = await startServer(t, STORAGE, STEP)
  await first.put()
  const operation = (await first.act('publish')).headers.get('location')!
  const [submission] = await first.read('/submissions')
  t.match(await first.read(operation), { status: 'running', steps: [{ status: 'inProgress' }] })
  const version = await first.read('/versions/1')
  await first.kill()

  // Steps of this server's own length would be over at once.
  const second = await startServer(t, STORAGE, 1)
  t.match(await second.read(operation), { status: 'running', steps: [{ status: 'inProgress' }] })
  await pass(STORAGE, 4)
  const waiting = await second.read(operation)
  t.equal(waiting.steps[4].status, 'waitingForPublisherReview')
  t.strictSame([waiting.status, waiting.publishingVersion], ['running', 1])
  const [moved] = await second.read('/submissions')
  // Four steps earlier it began, and four steps later it was due.
  t.equal(moved.changedTime, submission.changedTime, 'dated when it was due, not when it was noticed')
  t.strictSame({ ...moved, changedTime: 0, version: 0 }, { ...submission, changedTime: 0, version: 0 })
  t.strictSame(await second.read('/versions/1'), { ...version, status: 'waitingForPublisherReview' })
  const tag = await second.tag()
  t.equal((await second.act('golive')).status, 202)
  await second.kill()

  const third = await startServer(t, STORAGE, 999_999_999)
  t.equal((await third.read(operation)).status, 'running')
  await pass(STORAGE, 1)
  t.equal((await third.read(operation)).status, 'complete')
  t.match(await third.read('/slot/production'), { status: 'succeeded', version: 1 })
  t.not(await third.tag(), tag)
})
