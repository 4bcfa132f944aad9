import t, { type Test } from 'tap'
import type { Written } from '../../../lib/storage/adapter.js'
import {
  callOf,
  evalCommandOf,
  READ_SCRIPT,
  readFactsCommandOf,
  readUnlessCallOf,
  SCRIPT,
  type Change
} from '../../../lib/storage/redis/script.js'
import { ANY, EXISTS } from '../../support/expectations.js'
import { skipWithout } from '../../support/services/programs.js'
import { startRedis } from '../../support/services/redis.js'
import { uniqueName } from '../../support/services/service.js'
import { DRIVERS, lookingAt, openedAdapter } from '../../support/redis/clients.js'

/** The commands that the script and the adapter may use, and the versions that brought them: 6.2 must have them. */
const SINCE: Readonly<Record<string, string>> = {
  HGET: '2.0.0',
  HMGET: '2.0.0',
  HSET: '2.0.0',
  EXISTS: '1.0.0',
  DEL: '1.0.0',
  ZADD: '1.2.0',
  ZREM: '1.2.0',
  ZRANGEBYLEX: '2.8.9',
  EVAL: '2.6.0',
  EVALSHA: '2.6.0',
  PING: '1.0.0',
  INFO: '1.0.0',
  'CONFIG|GET': '2.0.0',
  SETNX: '1.0.0',
  GET: '1.0.0',
  WAIT: '3.0.0'
}

// The commands of the drivers when they connect, and of the test itself.
const DRIVER = [
  'HELLO',
  'AUTH',
  'SELECT',
  'CLIENT|SETINFO',
  'CLIENT|SETNAME',
  'COMMAND|INFO',
  'CONFIG|RESETSTAT',
  'FLUSHDB',
  'COMMAND|DOCS',
  'SET'
]

await t.test('redis: the script', { skip: skipWithout('redis') }, async (t) => {
  const { url } = await startRedis(t, { own: true })
  const server = lookingAt(t, url)

  const run = async (change: Change) => await server.call(...evalCommandOf(callOf(change)) as [string, ...string[]])

  function changeOf (t: Test): Change & { entity: string, index: string } {
    const entity = `{${uniqueName()}}`
    return {
      entity,
      index: `${entity}:index`,
      key: 'k',
      expectation: ANY,
      write: { version: 'v', json: '1', digest: undefined }
    }
  }

  await t.test('redis: a read whose caller needs no value of the version that is there is sent none', async (t) => {
    const prefix = `${uniqueName()}:`
    for (const connect of Object.values(DRIVERS)) {
      const adapter = await openedAdapter(t, connect(url), { prefix })
      const { version } = await adapter.write('k', { n: 1 }, ANY, { digest: 'd' }) as Written
      const { replaced } = (await adapter.read('k'))!
      await server.script('FLUSH')
      for (const unless of [['other', version], [version], '*'] as const) {
        t.strictSame(await adapter.read('k', { unless }), { version, replaced, digest: 'd' })
      }
      t.match(await adapter.read('k', { unless: ['other'] }), { value: { n: 1 }, json: '{"n":1}', version })
      const facts = [replaced ?? '', '"d"']
      const { evalsha } = readUnlessCallOf(`${prefix}{k}`, ['other', version])
      t.strictSame(await server.call(...evalsha as [string, ...string[]]), [version, null, ...facts])
      const command = readFactsCommandOf(`${prefix}{k}`)
      t.strictSame(await server.call(...command as [string, ...string[]]), [version, null, ...facts])
    }
  })

  await t.test('redis: the script and the adapter use only commands that Redis 6.2 has', async (t) => {
    const scripts = SCRIPT + READ_SCRIPT
    const inScript = [...scripts.matchAll(/redis\.call\('(\w+)'/g)].map(([, name]) => name!)
    t.equal(inScript.length, scripts.match(/redis\.p?call/g)!.length)
    for (const name of inScript) t.ok(SINCE[name], name)
    await server.config('RESETSTAT')
    await Promise.all(Object.values(DRIVERS).map(async (connect) => {
      const adapter = await openedAdapter(t, connect(url), { list: 'collection', wait: { replicas: 1, timeout: 1 } })
      await t.rejects(adapter.write('a/b', 1, ANY))
      await t.rejects(adapter.remove('a/b', EXISTS))
      await adapter.write('a/b', 1, EXISTS)
      await adapter.list!('a/')
      await adapter.read('a/b', { unless: ['other'] })
    }))
    const used = [...(await server.info('commandstats')).matchAll(/^cmdstat_([^:]+)/gm)].map(([, name]) =>
      name!.toUpperCase()
    )
    t.ok(used.includes('EVALSHA') && used.includes('WAIT') && used.includes('ZRANGEBYLEX'))
    t.strictSame(used.filter((name) => SINCE[name] === undefined && !DRIVER.includes(name)), [])
    const docs = await server.call('COMMAND', 'DOCS').catch(() => []) as Array<string | string[]>
    for (const [name, since] of Object.entries(SINCE)) {
      const index = docs.indexOf(name.split('|')[0]!.toLowerCase())
      if (index >= 0 && !name.includes('|')) t.equal((docs[index + 1] as string[])[3], since, name)
    }
  })

  await t.test('redis: all that can fail in the script comes before the first change: keys of another type stop it with nothing done', async (t) => {
    const change = changeOf(t)
    const { write: _write, ...removal } = change
    await server.set(change.entity, 'foreign')
    await t.rejects(run(change), /WRONGTYPE/)
    t.equal(await server.exists(change.index), 0)
    await server.del(change.entity)
    await server.hset(change.entity, 'foreign', 'field')
    await t.rejects(run(change), /WRONGTYPE/)
    t.strictSame(await server.hgetall(change.entity), { foreign: 'field' })
    t.equal(await server.exists(change.index), 0)
    await server.del(change.entity)
    await server.set(change.index, 'foreign')
    await t.rejects(run(change), /WRONGTYPE/)
    t.equal(await server.exists(change.entity), 0)
    await server.del(change.index)
    await run(change)
    await server.set(change.index, 'foreign')
    await t.rejects(run({ ...removal, expectation: EXISTS }), /WRONGTYPE/)
    t.equal(await server.exists(change.entity), 1)
  })

  await t.test('redis: with the memory full a write stops with nothing done, and a removal is carried out', async (t) => {
    const change = changeOf(t)
    const { write: _write, ...removal } = change
    await run(change)
    await server.config('SET', 'maxmemory', '1')
    t.teardown(async () => { await server.config('SET', 'maxmemory', '0') })
    const before = await server.hgetall(change.entity)
    await t.rejects(run({ ...change, write: { version: 'w', json: '2', digest: 'd' } }), /OOM/)
    t.strictSame(await server.hgetall(change.entity), before)
    t.strictSame(await run(removal), [1, 'v'])
    t.equal(await server.exists(change.entity, change.index), 0)
  })

  await t.test('redis: an entity has no time to live, whatever is written to it', async (t) => {
    const change = changeOf(t)
    for (const version of ['v', 'w']) {
      await run({ ...change, write: { version, json: '1', digest: undefined } })
      t.strictSame(await Promise.all([server.ttl(change.entity), server.ttl(change.index)]), [-1, -1])
    }
  })
})
