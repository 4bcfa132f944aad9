import type { Socket } from 'node:net'
import t, { type Test } from 'tap'
import { EtcdEndpoint } from '../../../../lib/storage/etcd/endpoint.js'
import { EtcdGateway, type EtcdGatewayOptions } from '../../../../lib/storage/etcd/gateway.js'
import { within } from '../../../../lib/storage/kit/deadline.js'
import { deadOrigin, etcdError, EtcdStub, type Behaviour } from '../../../support/etcd/stub.js'

const NO_LEADER = etcdError(503, 14, 'etcdserver: no leader')
const BUSY = etcdError(429, 8, 'etcdserver: too many requests')
const FINE = { json: { fine: true } }
const auth = { user: 'u', password: 'right' }

function gatewayTo (t: Test, endpoints: string[], options: Partial<EtcdGatewayOptions> = {}): EtcdGateway {
  const gateway = new EtcdGateway({ endpoints, timeout: 20_000, ...options })
  t.teardown(() => { gateway.close() })
  return gateway
}

async function pair (t: Test, first: Behaviour) {
  const stubs = [await EtcdStub.start(t, first), await EtcdStub.start(t, () => FINE)] as const
  return { gateway: gatewayTo(t, stubs.map(({ origin }) => origin)), stubs }
}

await t.test('etcd-gateway: the first endpoint is asked as long as it answers', async (t) => {
  const { gateway, stubs } = await pair(t, () => FINE)
  t.strictSame(await gateway.read('/a', {}), { fine: true })
  t.strictSame(await gateway.write('/b', {}), { fine: true })
  t.equal(stubs[1].requests.length, 0)
})

await t.test('etcd-gateway: a read goes to the next endpoint after any failure of the connection, and later requests stay there', async (t) => {
  for (const behaviour of ['cut', NO_LEADER, BUSY, { text: 'no JSON' }, { status: 502, text: '' }] as const) {
    const { gateway, stubs } = await pair(t, () => behaviour)
    t.strictSame(await gateway.read('/a', {}), { fine: true })
    t.strictSame(await gateway.write('/b', {}), { fine: true })
    t.equal(stubs[0].requests.length, 1)
  }
})

await t.test('etcd-gateway: a write whose answer was lost is sent to nobody else, and the next one goes elsewhere', async (t) => {
  for (const behaviour of ['cut', NO_LEADER, { text: 'no JSON' }] as const) {
    const { gateway, stubs } = await pair(t, () => behaviour)
    await t.rejects(gateway.write('/a', {}), { name: 'Error', kind: 'LOST', isCertain: false })
    t.equal(stubs[1].requests.length, 0)
    t.strictSame(await gateway.write('/b', {}), { fine: true })
  }
})

await t.test('etcd-gateway: a write goes to the next endpoint if this one was not reached, or refused it before it ran', async (t) => {
  const { gateway, stubs } = await pair(t, () => BUSY)
  t.strictSame(await gateway.write('/a', {}), { fine: true })
  t.same(stubs.map(({ requests }) => requests.length), [1, 1])
  await t.rejects(gatewayTo(t, [stubs[0].origin]).write('/a', {}), { name: 'Error', kind: 'BUSY' })
  t.equal(stubs[0].requests.length, 2, 'and to each once')
  t.strictSame(await gatewayTo(t, [await deadOrigin(t), stubs[1].origin]).write('/a', {}), { fine: true })
})

await t.test('etcd-gateway: a request that an endpoint refuses for good is sent to no other', async (t) => {
  const { gateway, stubs } = await pair(t, () => etcdError(400, 3, 'etcdserver: request is too large'))
  await t.rejects(gateway.read('/a', {}), { name: 'Error', kind: 'TOO_LARGE' })
  t.equal(stubs[1].requests.length, 0)
})

await t.test('etcd-gateway: every endpoint is tried, in a ring; a read begins again with the first one, in case its connection was stale', async (t) => {
  const dead = await deadOrigin(t)
  const stub = await EtcdStub.start(t, () => FINE)
  const gateway = gatewayTo(t, [dead, stub.origin, dead])
  for (let call = 0; call < 2; call++) t.strictSame(await gateway.read('/a', {}), { fine: true })
  stub.behave = () => 'cut'
  await t.rejects(gateway.read('/a', {}))
  t.equal(stub.requests.length, 4)
  await t.rejects(gateway.write('/a', {}))
  t.equal(stub.requests.length, 5)
  await t.rejects(gatewayTo(t, [dead, dead]).write('/a', {}), { name: 'Error', kind: 'UNREACHABLE' })
})

await t.test('etcd-gateway: a read whose connection was stale is asked again on a new one', async (t) => {
  let calls = 0
  const stub = await EtcdStub.start(t, () => ++calls === 2 ? 'cut' : FINE)
  const gateway = gatewayTo(t, [stub.origin])
  for (let call = 0; call < 2; call++) t.strictSame(await gateway.read('/a', {}), { fine: true })
  t.equal(stub.requests.length, 3)
})

await t.test('etcd-gateway: calls that find the same endpoint silent turn once, and a call that finds it late does not turn back', async (t) => {
  const { gateway: ofTwo, stubs } = await pair(t, () => 'cut')
  const answers = await Promise.all([1, 2, 3].map(async () => await ofTwo.read('/a', {})))
  t.strictSame(answers, [FINE.json, FINE.json, FINE.json])
  t.equal(stubs[1].requests.length, 3)

  const first = await EtcdStub.start(t)
  const sockets: Socket[] = []
  first.onConnection((_port, socket) => sockets.push(socket))
  const second = await EtcdStub.start(t, () => 'cut')
  const gateway = gatewayTo(t, [first.origin, second.origin, stubs[1].origin])
  const received = new Promise<void>((resolve) => {
    first.behave = () => {
      resolve()
      return 'hold'
    }
  })
  const late = t.rejects(gateway.write('/late', {}), { name: 'Error', kind: 'LOST' })
  await received
  first.behave = () => 'cut'
  await t.rejects(gateway.write('/a', {}), { name: 'Error', kind: 'LOST' })
  await t.rejects(gateway.write('/a', {}), { name: 'Error', kind: 'LOST' })
  sockets[0]!.destroy()
  await late
  t.strictSame(await gateway.write('/a', {}), FINE.json)
})

function withLogin (valid: () => string): Behaviour {
  return ({ path, body, token }) => {
    if (path === '/v3/auth/authenticate') {
      return (body as { password: string }).password === 'right'
        ? { json: { token: valid() } }
        : etcdError(400, 3, 'etcdserver: authentication failed, invalid user ID or password')
    }
    return token === valid() ? FINE : etcdError(401, 16, 'etcdserver: invalid auth token')
  }
}

await t.test('etcd-gateway: all callers share one login', async (t) => {
  const stub = await EtcdStub.start(t, withLogin(() => 't1'))
  const gateway = gatewayTo(t, [stub.origin], { auth })
  await Promise.all([1, 2, 3].map(() => gateway.write('/a', {})))
  await gateway.read('/a', {})
  t.strictSame(
    stub.requests.filter(({ path }) => path === '/v3/auth/authenticate'),
    [{ path: '/v3/auth/authenticate', body: { name: 'u', password: 'right' }, token: undefined }]
  )
})

await t.test('etcd-gateway: a token that has expired is replaced once for all callers, and their requests are sent again', async (t) => {
  let valid = 't1'
  const stub = await EtcdStub.start(t, withLogin(() => valid))
  const gateway = gatewayTo(t, [stub.origin], { auth })
  await gateway.write('/a', {})
  valid = 't2'
  stub.requests.length = 0
  const answers = await Promise.all([gateway.write('/a', {}), gateway.write('/a', {}), gateway.read('/a', {})])
  t.strictSame(answers, [FINE.json, FINE.json, FINE.json])
  t.equal(stub.requests.filter(({ path }) => path === '/v3/auth/authenticate').length, 1)
})

await t.test('etcd-gateway: a token that is refused twice is a fault, and without a login there is none to renew', async (t) => {
  const stub = await EtcdStub.start(t, ({ path }) =>
    path === '/v3/auth/authenticate' ? { json: { token: 't' } } : etcdError(401, 16, 'etcdserver: invalid auth token')
  )
  await t.rejects(gatewayTo(t, [stub.origin], { auth }).write('/a', {}), {
    name: 'Error',
    kind: 'TOKEN',
    isCertain: true
  })
  t.equal(stub.requests.length, 4)
  await t.rejects(gatewayTo(t, [stub.origin]).write('/a', {}), { name: 'Error', kind: 'TOKEN' })
  t.equal(stub.requests.length, 5)
})

await t.test('etcd-gateway: with a login, too, a write whose answer was lost is not sent again', async (t) => {
  const stub = await EtcdStub.start(t, ({ path }) => path === '/a' ? 'cut' : { json: { token: 't' } })
  await t.rejects(gatewayTo(t, [stub.origin], { auth }).write('/a', {}), {
    name: 'Error',
    kind: 'LOST'
  })
  t.equal(stub.requests.filter(({ path }) => path === '/a').length, 1)
})

await t.test('etcd-gateway: if the login fails nothing was sent, and the next call tries again', async (t) => {
  const stub = await EtcdStub.start(t, ({ path }) => path === '/v3/auth/authenticate' ? 'cut' : FINE)
  const gateway = gatewayTo(t, [stub.origin], { auth })
  await t.rejects(gateway.write('/a', {}), { name: 'Error', kind: 'UNREACHABLE', isCertain: true, message: /login/ })
  stub.behave = withLogin(() => 't')
  t.strictSame(await gateway.write('/a', {}), { fine: true })
  const { stubs } = await pair(t, () => 'cut')
  stubs[1].behave = withLogin(() => 't')
  const ofTwo = gatewayTo(t, stubs.map(({ origin }) => origin), { auth })
  t.strictSame(await ofTwo.write('/a', {}), FINE.json, 'by another endpoint')
  await t.rejects(gatewayTo(t, [stub.origin], { auth: { user: 'u', password: 'wrong' } }).write('/a', {}), {
    name: 'Error',
    kind: 'AUTH',
    isCertain: true
  })
})

await t.test('etcd-gateway: a login that is not answered is waited for as long as there is time left', async (t) => {
  t.intercept(EtcdEndpoint.prototype, 'post', { value: async () => await new Promise<string>(() => {}) })
  const gateway = gatewayTo(t, ['http://127.0.0.1:1'], { auth, timeout: 5 })
  await t.rejects(
    within(20_000, gateway.write('/a', {}), () => new Error('no bound')),
    { name: 'Error', kind: 'UNREACHABLE', message: /login takes too long/ }
  )
})

await t.test('etcd-gateway: an answer to a login without a token is a failed login, and is not kept', async (t) => {
  for (const json of [null, {}, { token: 1 }]) {
    const stub = await EtcdStub.start(t, () => ({ json }))
    const gateway = gatewayTo(t, [stub.origin], { auth })
    await t.rejects(gateway.write('/a', {}), {
      name: 'Error',
      kind: 'UNREACHABLE',
      isCertain: true,
      message: /login/,
      cause: { message: /none of its gateway/ }
    })
    t.ok(stub.requests.every(({ path }) => path === '/v3/auth/authenticate'), 'nothing goes without a token')
    stub.behave = withLogin(() => 't')
    t.strictSame(await gateway.write('/a', {}), FINE.json)
  }
})

await t.test('etcd-gateway: an answer that is not of an etcd is a lost one, and no connection is left', async (t) => {
  const html = '<html><a href="/">here</a></html>'
  let open = 0
  const stub = await EtcdStub.start(t)
  stub.onConnection((_port, socket) => {
    open++
    socket.once('close', () => { open-- })
  })
  const gateway = gatewayTo(t, [stub.origin], { timeout: 60_000 })
  for (const behaviour of [
    'cut',
    { status: 301, text: html },
    { status: 502, text: html },
    { text: html },
    { text: '{"header":{"revis' }
  ] as const) {
    stub.behave = () => behaviour
    const calls = Array.from({ length: 40 }, () => [gateway.write('/a', {}), gateway.read('/a', {})]).flat()
    t.match(await Promise.allSettled(calls), calls.map(() => ({ reason: { kind: 'LOST' } })))
    t.ok(open <= 64, `${open} connections`)
  }
  stub.behave = () => FINE
  t.strictSame(await gateway.write('/a', {}), FINE.json)
  gateway.close()
  await t.resolves(within(20_000, stub.left(), () => new Error('a connection is left')))
})
