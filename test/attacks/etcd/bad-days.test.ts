import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { ListingAdapter, Stored } from '../../../lib/storage/adapter.js'
import { etcdAdapter, type EtcdAdapterOptions } from '../../../lib/storage/etcd/index.js'
import { within } from '../../../lib/storage/kit/deadline.js'
import { openedEtcd } from '../../support/etcd/engine.js'
import { ABSENT, ANY, EXISTS, versionIn } from '../../support/expectations.js'
import { startEtcd } from '../../support/services/etcd.js'
import { skipWithoutOwn } from '../../support/services/programs.js'
import { startProxy, type Proxy } from '../../support/services/proxy.js'
import { uniqueName } from '../../support/services/service.js'
import { until } from '../../support/until.js'

const UNKNOWN = 'FST_IF_MATCH_OUTCOME_UNKNOWN'
const UNAVAILABLE = 'FST_IF_MATCH_STORAGE_UNAVAILABLE'
// After so many milliseconds the store is looked at again: a write that was kept and sent later would show by then.
const LATER = 3000
const RETURNS_WITHIN = 60_000

const isWrite = (request: Buffer): boolean => request.includes('/v3/kv/txn')

// For cases that wait for the end of a silence. The others have the default: a disk may be busy for a while.
const SHORT = { timeout: 1000 }

/** An adapter behind a proxy, and one that is not. */
async function stand (t: Test, url: string, opened = openedEtcd) {
  const proxy = await startProxy(t, url)
  const prefix = `${uniqueName()}/`
  const direct = await openedEtcd(t, { endpoints: url, prefix })
  const adapter = await opened(t, { endpoints: proxy.url, prefix })
  return { proxy, direct, adapter }
}

async function create (adapter: ListingAdapter, key: string): Promise<string> {
  const result = await adapter.write(key, 'first', ABSENT)
  if (!result.applied) throw new Error('not created')
  return result.version
}

async function codeOf (call: Promise<unknown>): Promise<string> {
  return await call.then(() => 'fine', (error: { code: string }) => error.code)
}

/** What the calls told; only a call without a bound takes so long. */
async function told (calls: ReadonlyArray<Promise<string>>): Promise<string[]> {
  return await within(60_000, Promise.all(calls), () => new Error('some of them hang'))
}

/**
 * Resolves to the entity `k` once the adapter reads, lists and writes again: a lone member has to elect itself first,
 * and a disk may be busy. All at once, so that each has a connection afterwards, on which the next request is sent at
 * once.
 */
async function back (adapter: ListingAdapter): Promise<Stored | undefined> {
  const { entity } = await until('it reads, lists and writes', async () => {
    try {
      const [entity] = await Promise.all([adapter.read('k'), adapter.list(''), adapter.write('back', 1, ANY)])
      return { entity }
    } catch {
      return undefined
    }
  }, RETURNS_WITHIN)
  return entity
}

/** An open adapter with a short timeout. A busy disk may take longer than that to let it open. */
async function openedShort (t: Test, options: EtcdAdapterOptions): Promise<ListingAdapter> {
  const adapter = etcdAdapter({ ...options, ...SHORT })
  t.teardown(async () => { await adapter.close!() })
  await until('it opens', async () => await codeOf(adapter.open!()) === 'fine', RETURNS_WITHIN)
  return adapter
}

await t.test('etcd, on bad days', { skip: skipWithoutOwn('etcd') }, async (t) => {
  const { url } = await startEtcd(t, { own: true })
  // Looks at the store that all wait for the same moment.
  const later: Array<[title: string, look: (t: Test) => Promise<void>]> = []
  const owner = t

  await t.test('an answer that is cut off: a look proves that the write was applied, once, and the caller never learns of it', async (t) => {
    const { proxy, direct, adapter } = await stand(t, url)
    const version = await create(direct, 'k')
    for (const [expectation, created] of [
      [versionIn(version), false],
      [EXISTS, false],
      [ANY, false]
    ] as const) {
      const before = await direct.read('k')
      proxy.cutAnswer({ when: isWrite })
      const result = await adapter.write('k', 'new', expectation)
      const after = await direct.read('k')
      t.match(result, { applied: true, version: after!.version, created })
      t.equal(after!.replaced, before!.version, 'applied once')
    }
    proxy.cutAnswer({ when: isWrite })
    t.match(await adapter.write('new', 'new', ABSENT), { applied: true, created: true })
  })

  await t.test('an answer that is cut off, and another writer on top: its acknowledged write is still there, and ours is proven', async (t) => {
    const { proxy, direct, adapter } = await stand(t, url)
    await create(direct, 'k')
    const { answered } = proxy.hold({ when: isWrite })
    const writing = adapter.write('k', 'ours', ANY)
    await answered
    const other = await direct.write('k', 'theirs', ANY)
    await proxy.refuse()
    await proxy.accept()
    proxy.pass()
    t.match(await writing, { applied: true, created: false })
    t.match(await direct.read('k'), { value: 'theirs', version: (other as { version: string }).version })
  })

  await t.test('a refusal that is cut off is unknown, and so is a removal', async (t) => {
    const { proxy, direct, adapter } = await stand(owner, url)
    const version = await create(direct, 'k')
    proxy.cutAnswer({ when: isWrite })
    t.equal(await codeOf(adapter.write('k', 'new', ABSENT)), UNKNOWN)
    proxy.cutAnswer({ when: isWrite })
    t.equal(await codeOf(adapter.remove('k', versionIn(version))), UNKNOWN)
    t.equal(await direct.read('k'), undefined, 'it was removed')
    const again = await create(direct, 'k')
    later.push([
      'the removal was not sent again',
      async (t) => {
        t.match(await direct.read('k'), { value: 'first', version: again })
      }
    ])
  })

  await t.test('a batch whose answer is cut off: each write is proven, and applied once', async (t) => {
    const { proxy, direct, adapter } = await stand(t, url)
    proxy.cutAnswer({ when: isWrite })
    const keys = Array.from({ length: 32 }, (_, index) => `k${index}`)
    const results = await Promise.all(keys.map(async (key) => await adapter.write(key, key, ANY)))
    t.ok(results.every((result) => result.applied && result.created))
    const stored = await Promise.all(keys.map(async (key) => await direct.read(key)))
    t.ok(stored.every((entity) => entity!.replaced === undefined))
  })

  for (const [mode, begin] of [
    ['held back', (proxy: Proxy) => proxy.hold()],
    ['half-open', (proxy: Proxy) => proxy.halfOpen()]
  ] as const) {
    await t.test(
      `a connection that is ${mode}: a read is unavailable and a write unknown within the timeout`,
      async (t) => {
        const { proxy, direct, adapter } = await stand(owner, url, openedShort)
        const version = await create(direct, 'k')
        await back(adapter)
        begin(proxy)
        const calls = [
          codeOf(adapter.read('k')),
          codeOf(adapter.list('')),
          codeOf(adapter.write('k', 'new', versionIn(version))),
          codeOf(adapter.write('l', 'new', ANY))
        ]
        t.strictSame(await told(calls), [UNAVAILABLE, UNAVAILABLE, UNKNOWN, UNKNOWN])
        proxy.pass()
        later.push([
          `a write that was ${mode} was applied once or not at all, and all is as before`,
          async (t) => {
            for (const entity of [await back(adapter), await direct.read('k')]) {
              t.ok(entity!.version === version || entity!.replaced === version)
            }
          }
        ])
      }
    )

    await t.test(
      `a connection that is ${mode}: many writers and readers of one key do not wait for one another's timeouts`,
      async (t) => {
        const { proxy, direct, adapter } = await stand(t, url, openedShort)
        await create(direct, 'k')
        await back(adapter)
        begin(proxy)
        const calls = Array.from(
          { length: 64 },
          async (_, index) =>
            await codeOf(index % 2 === 0 ? adapter.write('k', index, ANY) : adapter.remove('k', EXISTS))
        )
        const codes = await told([...calls, ...calls.map(() => codeOf(adapter.list('')))])
        t.strictSame(new Set(codes), new Set([UNKNOWN, UNAVAILABLE]))
        const unknown = codes.filter((code) => code === UNKNOWN).length
        t.ok(unknown <= 8, `four writes and four removals were sent, and no other; ${unknown} are unknown`)
        proxy.pass()
      }
    )
  }

  await t.test('refused connections: unavailable at once', async (t) => {
    const { proxy, direct, adapter } = await stand(owner, url)
    const version = await create(direct, 'k')
    await proxy.refuse()
    const calls = [
      adapter.read('k'),
      adapter.write('k', 'ghost', ANY),
      adapter.write('new', 'ghost', ANY),
      adapter.remove('k', versionIn(version))
    ]
    t.match(
      await Promise.allSettled(calls),
      calls.map(() => ({ reason: { code: UNAVAILABLE, cause: { message: /ECONNREFUSED/ } } })),
      'and not because of the timeout'
    )
    await proxy.accept()
    later.push(['nothing that was refused a connection is applied, and the adapter is back by itself', async (t) => {
      t.match(await direct.read('k'), { version })
      t.equal(await direct.read('new'), undefined)
      t.match(await adapter.write('k', 'after', versionIn(version)), { applied: true })
    }])
  })

  await delay(LATER)
  for (const [title, look] of later) await t.test(`${LATER} ms later: ${title}`, look)
})

await t.test('etcd: a server that is stopped or killed is told of soon, and the adapter is back by itself', { skip: skipWithoutOwn('etcd') }, async (t) => {
  const service = await startEtcd(t, { own: true })
  const direct = await openedEtcd(t, { endpoints: service.url })
  const adapter = await openedShort(t, { endpoints: service.url })
  const version = await create(direct, 'k')
  await back(adapter)
  service.pause()
  t.strictSame(await Promise.all([codeOf(adapter.read('k')), codeOf(adapter.write('paused', 1, ANY))]), [
    UNAVAILABLE,
    UNKNOWN
  ])
  service.resume()
  t.match(await back(adapter), { version })
  await service.kill()
  t.strictSame(
    [await codeOf(adapter.read('k')), await codeOf(adapter.write('killed', 1, ANY))],
    [UNAVAILABLE, UNAVAILABLE]
  )
  await service.restart()
  t.match(await back(adapter), { version })
  t.equal(await direct.read('killed'), undefined)
  t.match(await direct.write('k', 2, versionIn(version)), { applied: true })
})

await t.test('etcd: a quota that is used up refuses writes, also in batches, says so, and takes reads and removals', { skip: skipWithoutOwn('etcd') }, async (t) => {
  const service = await startEtcd(t, { settings: { 'quota-backend-bytes': '4000000' } })
  const adapter = await openedEtcd(t, { endpoints: service.url })
  const outcomes: string[] = []
  // A disk that is busy for too long fails writes as well.
  let isUsedUp = false
  const acknowledged: string[] = []
  for (let round = 0; round < 40 && !isUsedUp; round++) {
    await Promise.all(Array.from({ length: 8 }, async (_, index) => {
      const key = `k${round}-${index}`
      const code = await codeOf(adapter.write(key, 'x'.repeat(50_000), ABSENT).catch((error: Error) => {
        isUsedUp ||= /quota/.test(String((error.cause as Error).message))
        throw error
      }))
      if (code === 'fine') acknowledged.push(key)
      else outcomes.push(code)
    }))
  }
  t.ok(isUsedUp, 'it was used up')
  t.strictSame(outcomes.filter((code) => code !== UNAVAILABLE && code !== UNKNOWN), [])
  await t.rejects(adapter.write('one-more', 'x'.repeat(50_000), ANY), {
    code: UNAVAILABLE,
    cause: { message: /quota.*operator/ }
  })
  await t.rejects(adapter.write(acknowledged[0]!, 'x'.repeat(50_000), ANY), { code: UNAVAILABLE })
  const stored = await Promise.all(acknowledged.map((key) => adapter.read(key)))
  t.ok(stored.every((entity) => entity !== undefined), 'all that was acknowledged is there')
  const batch = await Promise.allSettled(['a', 'b', 'c'].map((key) => adapter.write(key, 1, ANY)))
  t.match(
    batch,
    [{ reason: { code: UNAVAILABLE } }, { reason: { code: UNAVAILABLE } }, { reason: { code: UNAVAILABLE } }],
    'a batch is no way around it'
  )
  t.match(
    await (await openedEtcd(t, { endpoints: service.url })).read(acknowledged[2]!),
    { replaced: undefined },
    'a server that starts now has what is left, too'
  )
  t.match(
    await Promise.all([
      adapter.remove(acknowledged[0]!, EXISTS),
      adapter.remove(acknowledged[1]!, EXISTS)
    ]),
    [{ applied: true }, { applied: true }]
  )
})
