import { setImmediate as turn } from 'node:timers/promises'
import { inspect } from 'node:util'
import t, { type Test } from 'tap'
import type { Refused } from '../../../lib/storage/adapter.js'
import { etcdAdapter, type EtcdAdapterOptions } from '../../../lib/storage/etcd/index.js'
import { sealed } from '../../../lib/storage/etcd/envelope.js'
import { within } from '../../../lib/storage/kit/deadline.js'
import { assertDamaged } from '../../support/damaged.js'
import { ABSENT, ANY, EXISTS, versionIn } from '../../support/expectations.js'
import { startEtcd } from '../../support/services/etcd.js'
import { skipWithout } from '../../support/services/programs.js'
import { startProxy } from '../../support/services/proxy.js'
import { uniqueName } from '../../support/services/service.js'
import { base64 } from '../../support/etcd/base64.js'
import { gatewayOf, openedEtcd, revisionOf } from '../../support/etcd/engine.js'
import { EtcdStub } from '../../support/etcd/stub.js'

await t.test('etcd: wrong options are refused when the adapter is made', async (t) => {
  t.throws(() => etcdAdapter({ endpoints: [] }), {
    code: 'FST_IF_MATCH_INVALID_OPTIONS',
    message: /etcdAdapter.*"endpoints"/
  })
})

await t.test('etcd: before open and after close everything is an outage that says so', async (t) => {
  const stub = await EtcdStub.start(t, ({ path }) => ({
    json: path === '/version' ? { etcdserver: '3.4.0' } : { header: { revision: '1' } }
  }))
  const adapter = etcdAdapter({ endpoints: stub.origin })
  const closed = { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE', cause: { message: /before open\(\) or after close\(\)/ } }
  const refusesAll = async () => {
    await t.rejects(adapter.read('k'), closed)
    await t.rejects(adapter.write('k', 1, ANY), closed)
    await t.rejects(adapter.remove('k', EXISTS), closed)
    await t.rejects(adapter.list(''), closed)
  }
  await refusesAll()
  await adapter.open!()
  t.equal(await adapter.read('k'), undefined)
  await adapter.close!()
  await refusesAll()
})

await t.test('etcd: close waits for requests that are under way, and leaves no connection', async (t) => {
  const stub = await EtcdStub.start(t, ({ path }) => ({
    json: path === '/version' ? { etcdserver: '3.4.0' } : { header: { revision: '1' }, succeeded: true }
  }))
  const adapter = etcdAdapter({ endpoints: stub.origin })
  await adapter.open!()
  stub.requests.length = 0
  const writing = adapter.write('k', 1, ANY)
  await turn()
  await adapter.close!()
  t.match(await writing, { applied: true })
  t.same(stub.requests.map(({ path }) => path), ['/v3/kv/txn'], 'and nobody had to look for it')
  await t.resolves(within(20_000, stub.left(), () => new Error('a connection is left')))
})

await t.test('etcd: a refusal has the entity that the last transaction found, and not that of one before it', async (t) => {
  const revisions = { create_revision: '6', mod_revision: '6', version: '1' }
  const found = [{ key: base64('entities/k'), value: base64(sealed({ marker: 'm', value: 1 })), ...revisions }]
  const answers: object[][] = []
  const stub = await EtcdStub.start(t, ({ path }) => ({
    json:
      path === '/version'
        ? { etcdserver: '3.4.0' }
        : { header: { revision: '9' }, responses: [{ response_range: { kvs: answers.shift() } }] }
  }))
  const adapter = await openedEtcd(t, { endpoints: stub.origin })
  stub.requests.length = 0
  answers.splice(0, 2, found, [])
  t.strictSame(await adapter.write('k', 2, versionIn('5.1', '6.1')), { applied: false, current: undefined })
  t.equal(stub.requests.length, 2)
})

await t.test('etcd, on the real engine', { skip: skipWithout('etcd') }, async (t) => {
  const { url } = await startEtcd(t)
  const opened = async (t: Test, options: Partial<EtcdAdapterOptions> = {}) =>
    await openedEtcd(t, { endpoints: url, prefix: `${uniqueName()}/`, ...options })

  await t.test('versions are the place in the life of the key, and replaced is exact under every expectation, whoever writes', async (t) => {
    const adapter = await opened(t)
    const first = await adapter.write('k', 1, ABSENT)
    if (!first.applied) throw new Error('not created')
    const revision = first.version.split('.')[0]!
    t.equal(first.version, `${revision}.1`)
    t.match(await adapter.write('k', 2, versionIn(first.version)), { version: `${revision}.2`, created: false })
    t.match(await adapter.write('k', 3, EXISTS), { version: `${revision}.3`, created: false })
    t.match(await adapter.write('k', 4, ANY, { digest: 'd' }), { version: `${revision}.4`, created: false })
    t.strictSame({ ...await adapter.read('k') }, {
      value: 4,
      version: `${revision}.4`,
      replaced: `${revision}.3`,
      digest: 'd'
    })
    t.strictSame(await adapter.remove('k', versionIn(`${revision}.4`)), { applied: true })
    const again = await adapter.write('k', 5, ANY)
    t.match(again, { created: true, version: /\.1$/ })
    t.not(again.applied && again.version, first.version)
  })

  await t.test('of several versions the one that is there is found, in two transactions', async (t) => {
    const adapter = await opened(t)
    const created = await adapter.write('k', 1, ANY)
    const { version } = created as { version: string }
    const others = Array.from({ length: 200 }, (_, index) => `1.${index + 1}`)
    t.match(await adapter.write('k', 2, versionIn(...others, version)), { applied: true, created: false })
    t.match(await adapter.write('k', 3, versionIn(...others, version)), { applied: false, current: { value: 2 } })
    t.match(await adapter.remove('k', versionIn(...others)), { applied: false, current: { value: 2 } })
  })

  await t.test('a version that etcd cannot have given is never sent, and never matches', async (t) => {
    const adapter = await opened(t)
    const wrong = versionIn('0', '0.0', '002.1', '+3.1', '1', 'x', '99999999999999999999.1', '')
    t.same(await adapter.write('absent', 1, wrong), { applied: false, current: undefined })
    t.equal(await adapter.read('absent'), undefined)
    await adapter.write('k', 1, ANY)
    t.match(await adapter.write('k', 2, wrong), { applied: false, current: { value: 1 } })
    t.match(await adapter.remove('k', wrong), { applied: false, current: { value: 1 } })
  })

  await t.test('a write is one round trip under every expectation, applied or refused', async (t) => {
    const stub = await EtcdStub.start(t, ({ path }) => ({
      json: path === '/version' ? { etcdserver: '3.4.0' } : { header: { revision: '9' } }
    }))
    const adapter = await openedEtcd(t, { endpoints: stub.origin })
    stub.requests.length = 0
    for (const expectation of [versionIn('5.1'), EXISTS] as const) {
      t.match(await adapter.write('k', 1, expectation), { applied: false })
    }
    t.equal(stub.requests.length, 2)
    stub.behave = () => ({ json: { header: { revision: '9' }, succeeded: true } })
    for (const expectation of [versionIn('5.1'), EXISTS, ABSENT, ANY] as const) {
      t.match(await adapter.write('k', 1, expectation), { applied: true })
    }
    t.equal(stub.requests.length, 6)
  })

  await t.test('no request, alone or together with others, asks for less than a linearizable read', async (t) => {
    const proxy = await startProxy(t, url)
    let seen = ''
    const when = (isPicked: boolean) => (request: Buffer) => {
      seen += String(request)
      return isPicked
    }
    proxy.pass({ when: when(false) })
    const adapter = await opened(t, { endpoints: proxy.url })
    const { version } = await adapter.write('k', 1, ANY) as { version: string }
    const expectations = [ABSENT, versionIn(version), EXISTS, ANY] as const
    for (const expectation of expectations) await adapter.write('k', 1, expectation)
    for (const expectation of [versionIn(version), EXISTS] as const) await adapter.remove('k', expectation)
    await adapter.read('k')
    await adapter.list('')
    await Promise.all(
      expectations.flatMap((expectation, index) => [
        adapter.write(`k${index}`, 1, expectation),
        adapter.remove(`r${index}`, EXISTS),
        adapter.read('k')
      ])
    )
    proxy.cutAnswer({ when: when(true) })
    await adapter.write('cut', 1, ANY)
    for (const part of [
      '/v3/kv/range',
      'range_end',
      'request_range',
      'keys_only',
      'request_put',
      'request_delete_range',
      'request_txn'
    ]) t.ok(seen.includes(part), part)
    t.notMatch(seen, /serializable/)
  })

  await t.test('a value that is too large is refused before it is sent, and the largest possible one is written, also beside others', async (t) => {
    const stub = await EtcdStub.start(t, () => ({ json: { etcdserver: '3.4.0' } }))
    const onStub = await openedEtcd(t, { endpoints: stub.origin })
    stub.requests.length = 0
    await t.rejects(onStub.write('k', 'x'.repeat(1_572_864), ANY), { code: 'FST_IF_MATCH_INVALID_VALUE' })
    t.strictSame(stub.requests, [])
    const adapter = await opened(t)
    const key = 'k'.repeat(1024)
    const overhead = JSON.stringify({ marker: 'm'.repeat(16), value: '' }).length + 5 * (1024 + 18) + 256
    const largest = 'x'.repeat(1_572_864 - overhead)
    await t.rejects(adapter.write(key, `${largest}x`, ANY), { code: 'FST_IF_MATCH_INVALID_VALUE' })
    t.match(
      await Promise.all([
        adapter.write(key, largest, ANY),
        adapter.write('a', largest, ANY),
        adapter.write('b', 1, ANY)
      ]),
      [{ applied: true }, { applied: true }, { applied: true }]
    )
    t.equal((await adapter.read(key))!.value, largest)
  })

  await t.test('64 values of 64 KB at once all go', async (t) => {
    const adapter = await opened(t)
    const value = 'é'.repeat(32_768)
    const results = await Promise.all(
      Array.from({ length: 64 }, (_, index) => adapter.write(`k${index}`, value, ABSENT))
    )
    t.ok(results.every(({ applied }) => applied))
    const stored = await Promise.all(results.map((_, index) => adapter.read(`k${index}`)))
    t.ok(stored.every((entity) => entity!.value === value))
  })

  await t.test('where this server takes less than maxRequestBytes says, a value is refused all the same, and its neighbours are not', async (t) => {
    const { url } = await startEtcd(t, { settings: { 'max-request-bytes': '10000' } })
    const adapter = await opened(t, { endpoints: url })
    t.match(
      await Promise.allSettled([
        adapter.write('a', 1, ANY),
        adapter.write('large', 'x'.repeat(20_000), ANY),
        adapter.write('b', 1, ANY)
      ]),
      [{ value: { applied: true } }, { reason: { code: 'FST_IF_MATCH_INVALID_VALUE' } }, { value: { applied: true } }]
    )
    t.equal(await adapter.read('large'), undefined)
  })

  await t.test('compaction and defragmentation leave versions as they are', async (t) => {
    const { url } = await startEtcd(t, { own: true })
    const adapter = await opened(t, { endpoints: url })
    await adapter.write('k', 1, ANY)
    await adapter.write('k', 2, ANY)
    const before = await adapter.read('k')
    const gateway = gatewayOf(t, url)
    await gateway.write('/v3/kv/compaction', { revision: String(await revisionOf(gateway)), physical: true })
    await gateway.write('/v3/maintenance/defragment', {})
    t.strictSame({ ...await adapter.read('k') }, { ...before })
    t.match(await adapter.write('k', 3, versionIn(before!.version)), { applied: true })
  })

  await t.test('prefixes keep entities apart, and so do epochs versions', async (t) => {
    const prefix = `${uniqueName()}/`
    const adapter = await opened(t, { prefix })
    const { version } = await adapter.write('k', 1, ANY) as { version: string }
    t.equal(await (await opened(t)).read('k'), undefined)
    const restored = await opened(t, { prefix, epoch: 'r2' })
    t.equal((await restored.read('k'))!.version, `r2.${version}`)
    t.match(await restored.write('k', 2, versionIn(version)), { applied: false, current: { version: `r2.${version}` } })
    t.match(await restored.write('k', 2, versionIn(`r2.${version}`)), { applied: true })
    t.match(await restored.read('k'), { replaced: `r2.${version}` })
  })

  await t.test('a value that somebody else wrote under the prefix is an outage for the calls that read it, and no error quotes it', async (t) => {
    const prefix = `${uniqueName()}/`
    const adapter = await opened(t, { prefix })
    await gatewayOf(t, url).write('/v3/kv/put', { key: base64(`${prefix}k`), value: base64('a secret') })
    const [read, , refusal] = await Promise.allSettled([
      adapter.read('k'),
      adapter.write('other', 1, ANY),
      adapter.write('k', 1, ABSENT),
      adapter.list('')
    ])
    for (const outcome of [read, refusal]) {
      t.match(outcome, { reason: { code: 'FST_IF_MATCH_STORAGE_FAULT', cause: { message: /prefix/ } } })
      t.notMatch(inspect(outcome, { depth: 9 }), /secret/)
    }
    t.match(await adapter.write('k', 1, ANY), { applied: true, created: false })
  })

  await t.test('a value that somebody damaged inside its envelope is a fault of the storage where it is asked for, and nowhere else', async (t) => {
    const prefix = `${uniqueName()}/`
    const adapter = await opened(t, { prefix })
    const text = '{"marker":"m","digest":"d","value":"a secret}'
    await gatewayOf(t, url).write('/v3/kv/put', { key: base64(`${prefix}k`), value: base64(text) })
    const stored = (await adapter.read('k'))!
    const { version } = stored
    const refused = await adapter.write('k', 1, ABSENT) as Refused
    const { items } = await adapter.list('')
    for (const damaged of [stored, refused.current, items[0]]) {
      assertDamaged(t, damaged, /prefix/)
      t.match(damaged, { version, digest: 'd' })
    }
    for (const unless of ['*', ['1.1', version]] as const) {
      t.strictSame(await adapter.read('k', { unless }), { version, replaced: undefined, digest: 'd' })
    }
    t.match(await adapter.write('k', 1, versionIn(version)), { applied: true })
    t.equal((await adapter.read('k'))?.value, 1)
  })

  await t.test('a listing is of one prefix, in the order of bytes, page by page', async (t) => {
    const adapter = await opened(t)
    const keys = ['a/', 'a/1', 'a/\uffff', 'a/\u{10000}', 'b/1']
    await Promise.all(keys.map((key) => adapter.write(key, key, ANY)))
    const pages = []
    let after: string | undefined
    do {
      const page = await adapter.list('a/', { after, limit: 3 })
      pages.push(page.items.map(({ key, value }) => [key, value]))
      after = page.next
    } while (after !== undefined)
    t.same(pages, [keys.slice(0, 3).map((key) => [key, key]), [['a/\u{10000}', 'a/\u{10000}']]])
    t.same((await adapter.list('a/', { after: 'a' })).items.length, 4, 'after a key before all of them')
    t.same((await adapter.list('a/', { after: 'b' })).items, [], 'after a key behind all of them')
    t.same((await adapter.list('')).items.map(({ key }) => key), keys)
    await Promise.all(['\uffffx', '\u{10000}1'].map((key) => adapter.write(key, key, ANY)))
    t.same(
      (await adapter.list('\u{10000}', { after: '\uffff' })).items.map(({ key }) => key),
      ['\u{10000}1'],
      'after a key that is before them by bytes, and behind them by UTF-16'
    )
  })
})
