import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { openWindow, pageErrors, signIn, skipWithoutBrowser, startBrowser } from '../../support/desk/browser.js'
import { deskServer, DOCUMENT } from '../../support/desk/server.js'
import { listening, start } from '../../support/example/server-process.js'

const skip = skipWithoutBrowser()

/** A server process on a file, which can be killed and started again at the same address. */
async function killable (t: Test) {
  const folder = mkdtempSync(join(tmpdir(), 'fastify-if-match-'))
  t.teardown(() => { rmSync(folder, { recursive: true, force: true }) })
  const env = { STORAGE: `sqlite:${join(folder, 'offers.db')}`, LOG_LEVEL: 'silent' }
  let server = start(t, env)
  const port = await listening(server)
  const address = `http://127.0.0.1:${port}/`
  const offer = `${address}api/publishers/contoso/offers/reef-db?api-version=2017-10-31`
  const headers = { authorization: 'Bearer dev-contoso', 'content-type': 'application/json', 'if-match': '*' }
  await fetch(offer, { method: 'PUT', headers, body: JSON.stringify(DOCUMENT) })
  return {
    address,
    name: async () => {
      const { definition } = await (await fetch(offer, { headers })).json() as typeof DOCUMENT
      return definition.displayText
    },
    kill: async () => {
      server.child.kill('SIGKILL')
      await server.exit
    },
    restart: async (more: Record<string, string> = {}) => {
      server = start(t, { ...env, PORT: port, ...more })
      await listening(server)
    }
  }
}

await t.test('desk: bad days in a browser', { skip }, async (t) => {
  const browser = await startBrowser(t)

  await t.test('a server that is killed and started again while a text is typed: nothing that was typed is lost, and it is saved', async (t) => {
    const server = await killable(t)
    const page = await openWindow(t, browser)
    await signIn(page, server.address)
    await page.goto(`${server.address}#/offers/contoso/reef-db`)
    const name = page.getByLabel('Name')
    await name.fill('Atoll')
    await server.kill()
    await name.press('End')
    await name.pressSequentially(' DB')
    await page.locator('#save').click()
    await page.getByText('nobody knows whether it was saved').waitFor()
    t.equal(await name.inputValue(), 'Atoll DB')
    await name.press('End')
    await name.pressSequentially('!')
    await server.restart()
    t.equal(await server.name(), 'Reef DB')
    await page.reload()
    await page.getByText('Restored what you had typed in this tab').waitFor()
    t.equal(await name.inputValue(), 'Atoll DB!', 'also on reload')
    await page.locator('#save').click()
    await page.getByText('Saved.', { exact: true }).waitFor()
    t.equal(await server.name(), 'Atoll DB!')
  })

  await t.test('the answer to a save is lost: the page reads, and says that it was saved, once', async (t) => {
    const { address, put, get } = await deskServer(t)
    await put('reef-db', DOCUMENT)
    const page = await openWindow(t, browser)
    await signIn(page, address)
    await page.goto(`${address}#/offers/contoso/reef-db`)
    let writes = 0
    await page.route('**/offers/reef-db*', async (route) => {
      if (route.request().method() !== 'PUT') return await route.continue()
      writes++
      await route.fetch()
      await route.abort('connectionreset')
    })
    await page.getByLabel('Name').fill('Atoll DB')
    await page.locator('#save').click()
    await page.getByText('The answer of the server was lost. It has exactly what you sent: it is saved.').waitFor()
    t.equal(writes, 1)
    t.match(await get('reef-db'), { definition: { displayText: 'Atoll DB' } })
  })

  await t.test('a token that the server does not know any more: what was typed is there again after the next sign-in', async (t) => {
    const server = await killable(t)
    const page = await openWindow(t, browser)
    await signIn(page, server.address)
    await page.goto(`${server.address}#/offers/contoso/reef-db`)
    await page.getByLabel('Name').fill('Atoll DB')
    await server.kill()
    await server.restart({ TOKENS: 'secret=contoso:owner' })
    await page.locator('#save').click()
    await page.getByText('The server does not know this token.').waitFor()
    t.equal(await page.getByLabel('Name').inputValue(), 'Atoll DB')
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.reload()
    t.equal(await page.getByText('Development tokens').count(), 0, 'none is in use, so none is shown')
    await page.locator('#token').fill('wrong')
    await page.keyboard.press('Enter')
    await page.getByText('The server does not know this token.').waitFor()
    await page.locator('#token').fill('secret')
    await page.keyboard.press('Enter')
    await page.getByText('Restored what you had typed in this tab').waitFor()
    t.equal(await page.getByLabel('Name').inputValue(), 'Atoll DB')
  })

  await t.test('a token is kept for the tab alone, and shown by a choice while it is one of development', async (t) => {
    const { address } = await deskServer(t)
    const page = await openWindow(t, browser)
    await page.goto(address)
    await page.getByRole('button', { name: 'dev-contoso' }).click()
    await page.getByRole('heading', { name: 'Offers of contoso' }).waitFor()
    t.match(await page.context().storageState(), { cookies: [], origins: [] }, 'no cookie, no local storage has it')
    const other = await page.context().newPage()
    await other.goto(address)
    await other.locator('#token').waitFor()
    t.pass('another tab asks')
  })

  await t.test('an offer that is gone, and a server that is another one than the page belongs to: each is told, and what was typed stays', async (t) => {
    const { address, put } = await deskServer(t)
    await put('reef-db', DOCUMENT)
    const page = await openWindow(t, browser)
    await signIn(page, address)
    await page.goto(`${address}#/offers/contoso/reef-db`)
    await page.getByLabel('Name').fill('Atoll DB')
    const answers: Array<[status: number, body: string, told: string]> = [
      [404, '{"error":{"code":"RouteNotFound","message":"x"}}', 'The server is not the one that this page belongs to'],
      [400, '{"error":{"code":"InvalidAPIVersion","message":"x"}}', 'it may be older, or newer'],
      [502, '<h1>Bad gateway</h1>', 'nobody knows whether it was saved'],
      [200, '<h1>Hello</h1>', 'The server is not the one that this page belongs to'],
      [503, '{"error":{"code":"StorageUnavailable","message":"x"}}', 'cannot reach its storage'],
      [413, '{"error":{"code":"DocumentTooLarge","message":"262144 bytes"}}', 'The offer is too large: 262144 bytes'],
      [403, '{"error":{"code":"Forbidden","message":"x"}}', 'no role on this publisher'],
      [404, '{"error":{"code":"OfferNotFound","message":"x"}}', 'This offer is not there any more.']
    ]
    for (const [status, body, told] of answers) {
      await page.route('**/offers/reef-db*', async (route) => { await route.fulfill({ status, body }) })
      await page.locator('#save').click()
      await page.getByText(told).waitFor()
      t.equal(await page.getByLabel('Name').inputValue(), 'Atoll DB', told)
      await page.unroute('**/offers/reef-db*')
    }
    await page.getByRole('button', { name: 'Create it again' }).waitFor()
  })

  await t.test('a server that became another version meanwhile, and has the files of the page no more: the page says that it failed, and what was typed stays', async (t) => {
    const { address, put } = await deskServer(t)
    await put('reef-db', DOCUMENT)
    const page = await openWindow(t, browser)
    await signIn(page, address)
    await page.goto(`${address}#/offers/contoso/reef-db`)
    await page.getByLabel('Name').fill('Atoll DB')
    await page.route('**/messages/de.js', async (route) => { await route.fulfill({ status: 404 }) })
    await page.getByLabel('Language').selectOption('de')
    await page.getByText('The page failed').waitFor()
    // A flaw of the page, which this server is made to have.
    t.match(pageErrors.splice(0).join(), /dynamically imported module/)
    t.equal(await page.getByLabel('Name').inputValue(), 'Atoll DB')
    await page.unroute('**/messages/de.js')
    await page.reload()
    await page.getByText('Wiederhergestellt, was Sie in diesem Tab').waitFor()
    t.equal(await page.locator('#field-name').inputValue(), 'Atoll DB')
  })

  await t.test('a browser that refuses its stores: the page works, keeps what was typed while it is open, and asks ahead of leaving', async (t) => {
    const { address, put, get } = await deskServer(t)
    await put('reef-db', DOCUMENT)
    const page = await openWindow(t, browser)
    await page.addInitScript({
      content: `for (const name of ['sessionStorage', 'localStorage']) Object.defineProperty(globalThis, name, {
        get () { throw new DOMException('Access is denied.', 'SecurityError') }
      })`
    })
    await signIn(page, address)
    await page.getByRole('link', { name: 'Reef DB' }).click()
    await page.getByLabel('Name').fill('Atoll DB')
    await page.getByText('This browser keeps nothing for the tab').waitFor()
    await page.getByRole('link', { name: 'Offers', exact: true }).click()
    await page.getByRole('link', { name: 'Reef DB' }).click()
    await page.getByText('Restored what you had typed').waitFor()
    t.equal(await page.getByLabel('Name').inputValue(), 'Atoll DB')
    const asked = page.waitForEvent('dialog')
    await page.evaluate('setTimeout(() => location.reload())')
    const dialog = await asked
    t.equal(dialog.type(), 'beforeunload')
    await dialog.dismiss()
    await page.locator('#save').click()
    await page.getByText('Saved.', { exact: true }).waitFor()
    t.match(await get('reef-db'), { definition: { displayText: 'Atoll DB' } })
  })

  await t.test('no page reported an error, and none broke its Content-Security-Policy', async (t) => {
    t.strictSame(pageErrors, [])
  })
})
