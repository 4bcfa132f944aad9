import t from 'tap'
import { checkServer, type Asking } from '../../../../lib/storage/redis/boot.js'
import { redisNames } from '../../../../lib/storage/redis/keys.js'
import type { Reply } from '../../../../lib/storage/redis/script.js'
import { warningsOf } from '../../../support/redis/warnings.js'

const INVALID = 'FST_IF_MATCH_INVALID_ADAPTER'

/** A server that answers as told, and null to everything else. */
function asking (answers: Record<string, unknown>): Asking {
  const answer = async (name: string): Promise<unknown> => {
    const told = name in answers ? answers[name] : null
    if (told instanceof Error) throw told
    return told
  }
  return {
    ask: async (_key, command) => await answer(command.join(' ').replace(/ p:.*/, '')),
    change: async () => await answer('EVALSHA') as Reply
  }
}

const GOOD = {
  'INFO server': 'redis_version:6.2.0\r\n',
  'CONFIG GET maxmemory-policy': ['maxmemory-policy', 'noeviction'],
  'CONFIG GET proto-max-bulk-len': ['proto-max-bulk-len', '7'],
  GET: 'entity'
}
const forbidden = new Error('NOPERM this user has no permissions')
const unknown = new Error("ERR unknown command 'CONFIG'")

async function check (answers: Record<string, unknown>): Promise<number> {
  return await checkServer(asking({ ...GOOD, ...answers }), redisNames('p:', false))
}

await t.test('redis: the boot learns how large a value may be', async (t) => {
  t.equal(await check({}), 7)
  t.equal(await check({ 'CONFIG GET proto-max-bulk-len': unknown }), 512 * 1024 * 1024)
})

await t.test('redis: the boot accepts 6.2 and later, and a server that does not tell its version', async (t) => {
  for (const version of ['6.2.14', '7.0.15', '8.0-rc1', '10.1']) {
    t.equal(await check({ 'INFO server': `redis_version:${version}\r\n` }), 7)
  }
  for (const version of ['6.0.9', '5.0', '3.2.1']) {
    await t.rejects(check({ 'INFO server': `redis_version:${version}\r\n` }), {
      code: INVALID,
      message: /6\.2 or later/
    })
  }
  t.equal(await check({ 'INFO server': forbidden }), 7)
})

await t.test('redis: the boot warns where it cannot see the eviction policy', async (t) => {
  t.strictSame(await warningsOf(async () => await check({})), [])
  for (const error of [forbidden, unknown]) {
    t.strictSame(await warningsOf(async () => await check({ 'CONFIG GET maxmemory-policy': error })), [
      'FST_IF_MATCH_REDIS_EVICTION_UNCHECKED'
    ])
  }
})

await t.test('redis: the boot warns of another eviction policy than noeviction', async (t) => {
  const policy = ['maxmemory-policy', 'allkeys-lru']
  t.strictSame(await warningsOf(async () => await check({ 'CONFIG GET maxmemory-policy': policy })), [
    'FST_IF_MATCH_REDIS_EVICTION'
  ])
})

await t.test('redis: other errors end the boot, and a server that is full does not', async (t) => {
  await t.rejects(check({ 'INFO server': new Error('Connection is closed.') }), /closed/)
  for (const code of ['NOPERM', 'READONLY', 'WRONGTYPE', 'MOVED', 'ERR', 'closed']) {
    for (const command of ['EVALSHA', 'SETNX']) {
      await t.rejects(check({ [command]: new Error(`${code} no`) }), new RegExp(code))
    }
  }
  const full = new Error('OOM command not allowed')
  t.equal(await check({ EVALSHA: full, SETNX: full, GET: null }), 7, 'it can still be read')
})

await t.test('redis: the boot refuses entities that were written with another "list"', async (t) => {
  for (const [list, other, message] of [
    [false, 'collection', /"list" set to "collection"/],
    ['collection', 'entity', /"list" set to false/]
  ] as const) {
    const server = asking({ ...GOOD, GET: other })
    await t.rejects(checkServer(server, redisNames('p:', list)), { code: INVALID, message })
  }
})
