import t from 'tap'
import { EtcdFault, faultOfAnswer, strangeAnswer } from '../../../../lib/storage/etcd/faults.js'
import { etcdError } from '../../../support/etcd/stub.js'

const fault = (status: number, code: number, message: string) =>
  faultOfAnswer(status, JSON.stringify(etcdError(status, code, message).json))

await t.test('etcd-fault: a request that a check refuses certainly changed nothing, and the fault says what to do', async (t) => {
  const cases: Array<[number, number, string, string, RegExp]> = [
    [429, 8, 'etcdserver: too many requests', 'BUSY', /too many/],
    [401, 16, 'etcdserver: invalid auth token', 'TOKEN', /login/],
    [400, 3, 'etcdserver: revision of auth store is old', 'TOKEN', /login/],
    [400, 3, 'etcdserver: user name is empty', 'AUTH', /"auth"/],
    [400, 3, 'etcdserver: authentication failed, invalid user ID or password', 'AUTH', /"auth"/],
    [412, 9, 'etcdserver: authentication is not enabled', 'AUTH', /turned off/],
    [403, 7, 'etcdserver: permission denied', 'DENIED', /role/],
    [400, 3, 'etcdserver: request is too large', 'TOO_LARGE', /larger/],
    [429, 8, 'grpc: received message larger than max (2200008 vs. 2097152)', 'TOO_LARGE', /larger/],
    [400, 11, 'etcdserver: mvcc: required revision has been compacted', 'COMPACTED', /compacted/],
    [400, 3, 'etcdserver: too many operations in txn request', 'WRONG', /too many operations/],
    [400, 3, 'etcdserver: duplicate key given in txn request', 'WRONG', /duplicate key/]
  ]
  for (const [status, code, message, kind, says] of cases) {
    const found = fault(status, code, message)
    t.match(found, { kind, isCertain: true, isOfEndpoint: kind === 'BUSY' }, message)
    t.equal(found.isMistake, kind === 'DENIED' || kind === 'WRONG', message)
    t.match(found.message, says)
  }
})

await t.test('etcd-fault: an error that may come while a request is carried out is not certain', async (t) => {
  for (const [status, code, message] of [
    [503, 14, 'etcdserver: no leader'],
    [503, 14, 'etcdserver: leader changed'],
    [503, 14, 'etcdserver: request timed out'],
    [503, 14, 'etcdserver: server stopped'],
    [504, 4, 'context deadline exceeded'],
    [408, 1, 'context canceled'],
    [500, 2, 'anything'],
    [500, 13, 'transport']
  ] as const) {
    t.match(fault(status, code, message), { kind: 'LOST', isCertain: false, isOfEndpoint: true }, message)
  }
})

await t.test('etcd-fault: of an unknown error the code of gRPC tells whether a check refused the request', async (t) => {
  for (let code = 0; code <= 17; code++) {
    t.equal(
      fault(400, code, 'anything').kind,
      [3, 5, 7, 11, 12].includes(code) ? 'WRONG' : [8, 9, 16].includes(code) ? 'REFUSED' : 'LOST',
      String(code)
    )
  }
})

await t.test('etcd-fault: a quota that is used up is told apart, and says what the operator must do', async (t) => {
  t.match(fault(429, 8, 'etcdserver: mvcc: database space exceeded'), {
    kind: 'NO_SPACE',
    isCertain: false,
    isOfEndpoint: false,
    message: /compact, defragment, .*alarm.*--quota-backend-bytes/
  })
})

await t.test('etcd-fault: an answer that is not of the gateway is not certain', async (t) => {
  for (const text of ['', '<html>502</html>', 'null', '{}', '{"code":"3"}']) {
    t.match(faultOfAnswer(502, text), { kind: 'LOST', message: /status 502/ }, text)
  }
})

await t.test('etcd-fault: gateways of other versions name the message once', async (t) => {
  t.equal(faultOfAnswer(400, '{"code":3,"message":"etcdserver: request is too large","details":[]}').kind, 'TOO_LARGE')
  t.equal(faultOfAnswer(400, '{"code":3,"error":"etcdserver: request is too large"}').kind, 'TOO_LARGE')
})

await t.test('etcd-fault: a request that was never sent changed nothing, and another endpoint may take it', async (t) => {
  t.match(new EtcdFault('UNREACHABLE', 'nobody there'), {
    isCertain: true,
    isOfEndpoint: true,
    message: 'etcd: nobody there'
  })
})

await t.test('etcd-fault: an answer of status 200 that etcd does not give is not certain', async (t) => {
  t.match(strangeAnswer(), { kind: 'LOST', isCertain: false, isOfEndpoint: true, message: /none of its gateway/ })
})
