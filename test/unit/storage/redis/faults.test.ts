import t from 'tap'
import { inspect } from 'node:util'
import { StorageUnavailableError } from '../../../../lib/errors.js'
import {
  explain,
  isCertainlyNot,
  NotSentError,
  readError,
  replyCode,
  writeError
} from '../../../../lib/storage/redis/faults.js'

await t.test('redis: a command that the server refused, or that was never sent, was not applied', async (t) => {
  const messages = [
    "READONLY You can't write against a read only replica.",
    'LOADING Redis is loading the dataset in memory',
    'OOM command not allowed',
    'CLUSTERDOWN The cluster is down',
    'NOSCRIPT No matching script',
    'ERR max number of clients reached',
    'NOAUTH Authentication required.',
    'WRONGPASS invalid username-password pair',
    "ERR Error running script (call to f_1): @user_script:3: -READONLY You can't write",
    'TRYAGAIN Multiple keys',
    'BUSY Redis is busy',
    "Stream isn't writeable and enableOfflineQueue options is false",
    'The client is offline',
    'The client is closed'
  ]
  for (const message of messages) {
    t.match(writeError(new Error(message)), { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE' }, message)
  }
  t.ok(isCertainlyNot(new NotSentError(undefined)))
  t.ok(isCertainlyNot(Object.assign(new Error('the driver gave up'), { originalError: new NotSentError(undefined) })))
  t.ok(isCertainlyNot(Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), { syscall: 'connect' })))
  t.ok(isCertainlyNot(Object.assign(new Error('getaddrinfo ENOTFOUND redis'), { syscall: 'getaddrinfo' })))
})

await t.test('redis: after any other error a write may have been applied', async (t) => {
  const messages = [
    'Connection is closed.',
    'Socket closed unexpectedly',
    'Reached the max retries per request limit (which is 0).',
    'Command timed out',
    "Cluster isn't ready and enableOfflineQueue options is false",
    'read ECONNRESET',
    'write EPIPE',
    'Disconnects client',
    'there was no answer within 5 ms.',
    'Too many Cluster redirections. Last error: Error: MOVED 1 127.0.0.1:1',
    'All the root nodes are unavailable',
    ''
  ]
  for (const message of messages) {
    t.match(writeError(new Error(message)), { code: 'FST_IF_MATCH_OUTCOME_UNKNOWN' }, message)
  }
  t.match(writeError(Object.assign(new Error('read ECONNRESET'), { syscall: 'read' })), {
    code: 'FST_IF_MATCH_OUTCOME_UNKNOWN'
  })
})

await t.test('redis: an error of the contract stays as it is', async (t) => {
  const error = new StorageUnavailableError()
  t.equal(writeError(error), error)
  t.equal(readError(error), error)
})

await t.test('redis: a read that failed is an outage, whatever became of it', async (t) => {
  for (const message of ['OOM command not allowed', 'Connection is closed.']) {
    t.match(readError(new Error(message)), { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE' }, message)
  }
})

await t.test('redis: the code of an answer is known, in a script of Redis 6.2 too', async (t) => {
  t.equal(replyCode(new Error('NOPERM this user has no permissions')), 'NOPERM')
  t.equal(
    replyCode(new Error('ERR Error running script (call to f_1): @user_script:3: -OOM command not allowed')),
    'OOM'
  )
  t.equal(
    replyCode(
      new Error("ERR The user executing the script can't run this command or subcommand script: 1, on @user_script:25.")
    ),
    'NOPERM'
  )
  t.equal(replyCode(new Error('ERR syntax error')), 'ERR')
  t.equal(replyCode(new Error('read ECONNRESET')), undefined)
})

await t.test('redis: an explanation says what to do, and quotes nothing that was sent, such as a password', async (t) => {
  t.match(explain(new Error('OOM command not allowed')).message, /Make room/)
  t.equal(explain(new Error('read ECONNRESET')).message, 'Redis: read ECONNRESET')
  t.equal(explain(Object.assign(new Error(''), { code: 'ECONNREFUSED' })).message, 'Redis: ECONNREFUSED')
  const error = Object.assign(new Error("ERR unknown command 'EVALSHA', with args beginning with: 'sha' 'secret'"), {
    command: { args: ['secret'] }
  })
  t.notMatch(inspect(writeError(error), { depth: 9 }), /secret/)
  t.match(new NotSentError(error).message, /no connection.*unknown command 'EVALSHA'$/)
})

await t.test('redis: other content, a missing right and a script that the server does not take are a fault of the server; a login is an outage', async (t) => {
  const mistakes = [
    'WRONGTYPE Operation against a key',
    'NOPERM this user has no permissions',
    "ERR unknown command 'EVALSHA'",
    "ERR wrong number of arguments for 'hset' command script: f_1, on @user_script:3.",
    'ERR Error running script (call to f_1): @user_script:3: attempt to index a nil value',
    "ERR The user executing the script can't run this command or subcommand script: 1, on @user_script:25."
  ]
  const fault = { code: 'FST_IF_MATCH_STORAGE_FAULT', statusCode: 500, message: /nothing was changed/ }
  for (const message of mistakes) {
    for (const error of [writeError(new Error(message)), readError(new Error(message))]) {
      t.match(error, { ...fault, cause: { message: /^Redis: / } }, message)
    }
  }
  for (const message of ['NOAUTH Authentication required.', 'LOADING …', 'MISCONF …', 'ERR max requests reached']) {
    t.match(readError(new Error(`${message} `)), { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE' }, message)
  }
})
