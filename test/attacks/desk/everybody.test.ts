import { createServer, request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import type { Page } from 'playwright-core'
import {
  findings, isTooWide, narrowestCell, openWindow, pageErrors, signIn, skipWithoutBrowser, startBrowser
} from '../../support/desk/browser.js'
import { parseTokens } from '../../../example/app/tokens.js'
import { deskServer, DOCUMENT } from '../../support/desk/server.js'

const skip = skipWithoutBrowser()

/** Presses Tab until this element has the focus. */
async function tabTo (page: Page, selector: string): Promise<void> {
  for (let presses = 0; presses < 60; presses++) {
    await page.keyboard.press('Tab')
    if (await page.locator(`${selector}:focus`).count() > 0) return
  }
  throw new Error(`Tab does not come to ${selector}.`)
}

/** A proxy that serves this server below a prefix, and nothing beside it. Gives the address of the page. */
async function belowPrefix (t: Test, address: string): Promise<string> {
  const proxy = createServer((request, response) => {
    const { method, headers } = request
    const [, path] = /^\/offers-demo(\/.*)/.exec(request.url!) ?? []
    if (path === undefined) response.writeHead(404).end()
    else {
      request.pipe(httpRequest(new URL(path, address), { method, headers }, (answer) => {
        answer.pipe(response.writeHead(answer.statusCode!, answer.headers))
      }))
    }
  })
  await new Promise<void>((resolve) => { proxy.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => { proxy.close() })
  return `http://127.0.0.1:${(proxy.address() as AddressInfo).port}/offers-demo/`
}

await t.test('desk: for everybody, in a browser', { skip }, async (t) => {
  const browser = await startBrowser(t)

  await t.test('by keyboard alone: sign in, open an offer, edit it, solve a conflict, and save', async (t) => {
    const { address, put, get } = await deskServer(t)
    await put('reef-db', DOCUMENT)
    const page = await openWindow(t, browser)
    await page.goto(address)
    await page.locator('#token').waitFor()
    await tabTo(page, '#token')
    await page.keyboard.type('dev-contoso')
    await page.keyboard.press('Enter')
    await page.locator('tbody a').waitFor()
    await tabTo(page, 'tbody a')
    await page.keyboard.press('Enter')
    await page.locator('#field-name').waitFor()
    await tabTo(page, '#field-name')
    await page.keyboard.press('End')
    await page.keyboard.type(' 2')
    await put('reef-db', { ...DOCUMENT, definition: { ...DOCUMENT.definition, displayText: 'Theirs' } })
    await page.keyboard.press('Enter')
    await page.locator('#conflict-title:focus').waitFor()
    await tabTo(page, 'input[type=radio]')
    await page.keyboard.press('ArrowDown')
    t.ok(await page.getByLabel('Mine').isChecked())
    await tabTo(page, '#save-merged')
    await page.keyboard.press('Enter')
    await page.getByText('Saved.', { exact: true }).waitFor()
    t.match(await get('reef-db'), { definition: { displayText: 'Reef DB 2' } })
    await page.keyboard.press('Escape')
    await tabTo(page, '#overwrite')
    await page.keyboard.press('Enter')
    await page.locator('#overwrite-dialog[open]').waitFor()
    await page.keyboard.press('Escape')
    await page.locator('#overwrite:focus').waitFor()
    t.pass('a dialog gives the focus back')
  })

  for (const colorScheme of ['light', 'dark'] as const) {
    await t.test(`360 px wide, ${colorScheme}: no view is wider, no cell is squeezed, and axe finds nothing in any`, async (t) => {
      const { address, put } = await deskServer(t, { stepMs: 1 })
      const long = `${'A-long-name-without-a-space'.repeat(4)} and some words`
      const tag = await put('reef-db', { ...DOCUMENT, definition: { ...DOCUMENT.definition, displayText: long } })
      const page = await openWindow(t, browser, { colorScheme, viewport: { width: 360, height: 740 } })
      const check = async (view: string): Promise<void> => {
        t.strictSame(await findings(page), [], view)
        t.notOk(await isTooWide(page), view)
        t.ok(await narrowestCell(page) > 200, `${view}: cells are wide enough to be read`)
      }
      await page.goto(address)
      await page.locator('#token').waitFor()
      await check('sign-in')
      await signIn(page, address)
      await page.locator('tbody a').waitFor()
      await check('list')
      await page.goto(`${address}#/new/contoso`)
      await page.locator('#new-id').waitFor()
      await page.keyboard.press('Enter')
      await check('new offer')
      await page.goto(`${address}#/demo/contoso`)
      await page.locator('#ann-save').click()
      await page.getByText('Saved.', { exact: true }).waitFor()
      await check('demo')
      await page.goto(`${address}#/offers/contoso/reef-db`)
      await page.locator('#field-name').waitFor()
      await page.locator('#publish').click()
      await page.getByRole('link', { name: 'Preview' }).waitFor()
      await check('editor, with a publication')
      await page.locator('#field-rest').fill('[')
      await page.locator('#save').click()
      await page.getByText('This is no JSON').waitFor()
      await check('flaw')
      await page.reload()
      await page.locator('#field-rest').fill('{"offerTypeId":"microsoft-azure-virtualmachines"}')
      await page.locator('#field-name').fill('Mine')
      await put('reef-db', DOCUMENT)
      await page.locator('#overwrite').click()
      await page.locator('#overwrite-dialog[open]').waitFor()
      await check('overwrite')
      await page.keyboard.press('Escape')
      await page.locator('#save').click()
      await page.locator('#conflict-title').waitFor()
      await check('conflict')
      await page.goto(`${address}#/offers/contoso/reef-db/preview`)
      await page.locator('article').waitFor()
      await check('slot')
      t.ok(tag)
    })
  }

  const LANGUAGES = {
    en: ['en-GB', 'Offers of contoso', 'Save', 'Saved.'],
    de: ['de-AT', 'Angebote von contoso', 'Speichern', 'Gespeichert.'],
    id: ['id-ID', 'Penawaran dari contoso', 'Simpan', 'Tersimpan.'],
    sv: ['sv-FI', 'Erbjudanden från contoso', 'Spara', 'Sparat.']
  } as const
  for (const [language, [locale, title, save, saved]] of Object.entries(LANGUAGES)) {
    await t.test(`in ${language}: by the preference of the browser, and by the switch, which outlives a reload`, async (t) => {
      const { address, put } = await deskServer(t)
      await put('reef-db', DOCUMENT)
      const page = await openWindow(t, browser, { locale })
      await signIn(page, address)
      await page.getByRole('heading', { name: title }).waitFor()
      t.equal(await page.locator('html').getAttribute('lang'), language)
      await page.locator('tbody a').click()
      await page.locator('#field-name').fill('Atoll')
      await page.getByRole('button', { name: save, exact: true }).click()
      await page.getByText(saved, { exact: true }).waitFor()
      t.strictSame(await findings(page), [])
      const other = language === 'sv' ? 'id' : 'sv'
      await page.locator('#field-name').fill('Typed')
      await page.locator('#language').selectOption(other)
      await page.locator(`html[lang=${other}]`).waitFor()
      t.equal(await page.locator('#field-name').inputValue(), 'Typed', 'what was typed stays')
      await page.reload()
      await page.locator(`html[lang=${other}]`).waitFor()
      await page.getByRole('button', { name: LANGUAGES[other][2], exact: true }).waitFor()
    })
  }

  await t.test('each view has its title and leads the focus to its heading, and a button keeps the focus while it is at work', async (t) => {
    const { address, put } = await deskServer(t)
    await put('reef-db', DOCUMENT)
    const page = await openWindow(t, browser)
    await signIn(page, address)
    await page.getByRole('link', { name: 'Reef DB' }).press('Enter')
    await page.locator('#field-name').waitFor()
    await page.locator('h1:focus').waitFor()
    t.equal(await page.title(), 'Reef DB · Offer desk')
    let release = (): void => {}
    const released = new Promise<void>((resolve) => { release = resolve })
    await page.route(/offers\/reef-db\?/, async (route) => {
      if (route.request().method() === 'PUT') await released
      await route.continue()
    })
    await page.getByLabel('Name').fill('Atoll DB')
    await page.locator('#save').press('Enter')
    await page.locator('#save[aria-disabled=true]:focus').waitFor()
    release()
    await page.getByText('Saved.', { exact: true }).waitFor()
    await page.locator('#save:focus').waitFor()
    await page.locator('#language').selectOption('de')
    await page.locator('html[lang=de]').waitFor()
    t.equal(await page.locator('#language').inputValue(), 'de')
    t.equal(await page.title(), 'Atoll DB · Angebotstisch')
  })

  await t.test('the choice of a publisher is the one whose offers are shown, also after going back and forth', async (t) => {
    const { address } = await deskServer(t, { tokens: parseTokens('both=contoso:owner+fabrikam:owner') })
    const page = await openWindow(t, browser)
    await signIn(page, address, 'both')
    await page.getByRole('heading', { name: 'Offers of contoso' }).waitFor()
    const choice = page.getByLabel('Publisher')
    await choice.selectOption('fabrikam')
    await page.getByRole('heading', { name: 'Offers of fabrikam' }).waitFor()
    await page.goBack()
    await page.getByRole('heading', { name: 'Offers of contoso' }).waitFor()
    t.equal(await choice.inputValue(), 'contoso')
    await page.goForward()
    await page.getByRole('heading', { name: 'Offers of fabrikam' }).waitFor()
    t.equal(await choice.inputValue(), 'fabrikam')
  })

  await t.test('the first visit: every request goes to this server, and is told by number and bytes', async (t) => {
    const { address, put } = await deskServer(t)
    for (let index = 0; index < 20; index++) await put(`reef-${index}`, DOCUMENT)
    const page = await openWindow(t, browser)
    const origins = new Set<string>()
    page.on('request', (request) => { origins.add(new URL(request.url()).origin) })
    await signIn(page, address)
    await page.locator('tbody a').first().waitFor()
    t.strictSame([...origins], [address.slice(0, -1)])
    const { requests, bytes } = await page.evaluate<{ requests: number, bytes: number }>(`(() => {
      const entries = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
      return { requests: entries.length, bytes: entries.reduce((sum, { transferSize }) => sum + transferSize, 0) }
    })()`)
    const times: number[] = []
    for (let visit = 0; visit < 5; visit++) {
      await page.reload()
      await page.locator('tbody a').first().waitFor()
      times.push(await page.evaluate<number>('performance.now()'))
    }
    const asked = await page.evaluate<number>(`performance.getEntriesByType('resource')
      .filter(({ name, transferSize }) => name.includes('/desk/') && transferSize > 0).length`)
    t.equal(asked, 0, 'a browser that has the files asks for none of them again')
    const median = Math.round(times.sort((one, other) => one - other)[2]!)
    t.comment(`first visit: ${requests} requests, ${bytes} bytes; to the list of 20 offers, again: ${median} ms`)
    t.ok(requests < 60, `${requests} requests`)
    t.ok(bytes < 200_000, `${bytes} bytes`)
  })

  await t.test('below a prefix of a proxy: the page, its files, its languages and its calls are all there (RFC 3986 5.2)', async (t) => {
    const { address, put, get } = await deskServer(t)
    await put('reef-db', DOCUMENT)
    const page = await openWindow(t, browser, { locale: 'sv-SE' })
    const failed: string[] = []
    page.on('response', (response) => { if (response.status() >= 400) failed.push(response.url()) })
    await signIn(page, await belowPrefix(t, address))
    await page.getByRole('link', { name: 'Reef DB' }).click()
    await page.locator('#field-name').fill('Atoll DB')
    await page.locator('#save').click()
    await page.getByText('Sparat.', { exact: true }).waitFor()
    t.match(await get('reef-db'), { definition: { displayText: 'Atoll DB' } })
    t.strictSame(failed, [])
  })

  await t.test('no page reported an error, and none broke its Content-Security-Policy', async (t) => {
    t.strictSame(pageErrors, [])
  })
})
