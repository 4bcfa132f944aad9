import t from 'tap'
import { Desk } from '../../../example/desk/page/desk.js'

// The page reads its address and its stores from the browser: these stand in for them. Node has no store of a session.
const refuse = (): never => { throw new Error('The browser refuses its stores.') }
const address = { hash: '' }
const browser: Record<string, PropertyDescriptor> = {
  sessionStorage: { get: refuse },
  localStorage: { get: refuse },
  navigator: { value: { languages: ['en'] } },
  location: { value: address }
}
const { fetch } = globalThis
for (const [name, descriptor] of Object.entries(browser)) {
  const before = Object.getOwnPropertyDescriptor(globalThis, name)
  Object.defineProperty(globalThis, name, { ...descriptor, configurable: true })
  // Other files of tests run in this process, too.
  t.teardown(() => {
    if (before === undefined) Reflect.deleteProperty(globalThis, name)
    else Object.defineProperty(globalThis, name, before)
  })
}
t.teardown(() => { globalThis.fetch = fetch })

const REEF = {
  offerTypeId: 'vm', id: 'reef-db', status: 'neverPublished', version: 0, definition: { displayText: 'Reef' }
}

/** An answer of the server, with the tag "1" unless another is named. */
function json (value: unknown, status = 200, headers: Record<string, string> = { etag: '"1"' }): Response {
  return new Response(JSON.stringify(value), { status, headers })
}

/** A page at this address, whose requests are answered so, besides that of the publishers. */
async function pageAt (hash: string, answer: (method: string, path: string) => Response | Promise<Response>) {
  globalThis.fetch = async (path, init) => {
    const method = init?.method ?? 'GET'
    return String(path).startsWith('api/publishers?')
      ? json([{ id: 'contoso' }])
      : await answer(method, String(path))
  }
  address.hash = hash
  const tokens: Array<string | undefined> = []
  const desk = new Desk([], ({ token }) => { tokens.push(token) })
  await desk.start()
  return { desk, tokens }
}

const nothing = (): Response => json({ error: { code: 'OfferNotFound', message: 'x' } }, 404)

await t.test('a browser that refuses its stores: the page starts, and what was typed is there again after another view', async (t) => {
  const { desk } = await pageAt('#/offers/contoso/reef-db', () => json(REEF))
  t.notOk(desk.isAtRisk)
  await desk.signIn('secret')
  const { editor } = desk
  editor!.dispatch({ type: 'typed', form: { ...editor!.state.form!, name: 'Atoll' } })
  t.notOk(editor!.isKept)
  t.ok(desk.isAtRisk, 'the browser asks ahead of leaving the page')
  address.hash = '#/new/contoso'
  await desk.open()
  desk.typeNew({ name: 'Another' })
  address.hash = '#/offers/contoso/reef-db'
  await desk.open()
  t.equal(desk.editor!.state.form!.name, 'Atoll')
  desk.editor!.dispatch({ type: 'discard' })
  address.hash = '#/new/contoso'
  await desk.open()
  t.equal(desk.newOffer.name, 'Another')
  desk.publication?.end()
})

await t.test('sign-in: the field stays, with the token in it, while the server is away; signing out says what stays in the tab', async (t) => {
  const { desk, tokens } = await pageAt('', nothing)
  const { fetch } = globalThis
  globalThis.fetch = async () => { throw new TypeError('away') }
  await desk.signIn('secret')
  t.equal(desk.notice?.key, 'failedAway')
  t.ok(tokens.every((token) => token === undefined), 'another view would take the field away')
  globalThis.fetch = fetch
  await desk.signIn(' secret ')
  t.equal(desk.token, 'secret')
  desk.signOut()
  t.strictSame([desk.token, desk.notice?.key], [undefined, 'signedOut'])
})

await t.test('a new offer: a lost answer is looked after before the person is asked to try again (RFC 9110 9.2.2)', async (t) => {
  const offerTypeId = 'microsoft-azure-virtualmachines'
  const created = { ...REEF, offerTypeId, definition: { displayText: 'Reef', plans: [] } }
  const cases = [
    [() => json(created), undefined],
    [() => json({ ...created, definition: { displayText: 'Theirs' } }), 'exists'],
    [nothing, 'notSavedAfterLoss'],
    [() => new Response('', { status: 502 }), 'unknownAfterLoss']
  ] as const
  for (const [read, key] of cases) {
    let writes = 0
    const { desk } = await pageAt('#/new/contoso', (method) => {
      if (method === 'GET') return read()
      writes++
      throw new TypeError('lost')
    })
    await desk.signIn('secret')
    desk.typeNew({ id: 'reef-db', name: 'Reef' })
    await Promise.all([desk.create(), desk.create()])
    t.equal(writes, 1, 'a second click is the same one')
    t.equal(desk.newOffer.notice?.key, key)
    t.equal(address.hash, key === undefined ? '#/offers/contoso/reef-db' : '#/new/contoso')
    t.equal(desk.newOffer.name, 'Reef', 'what was typed stays')
  }
})

await t.test('a slot whose answer is slow is not shown under the heading of another one', async (t) => {
  let answerPreview = (_response: Response): void => {}
  const preview = new Promise<Response>((resolve) => { answerPreview = resolve })
  const { desk } = await pageAt('', async (_method, path) => path.includes('/slot/preview')
    ? await preview
    : json({ ...REEF, status: 'production' }))
  await desk.signIn('secret')
  address.hash = '#/offers/contoso/reef-db/preview'
  const slow = desk.open()
  address.hash = '#/offers/contoso/reef-db/production'
  await desk.open()
  answerPreview(json({ ...REEF, status: 'preview' }))
  await slow
  t.equal(desk.slot?.['status'], 'production')
})
