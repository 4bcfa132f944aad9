import type { Request } from 'playwright-core'
import t from 'tap'
import { openWindow, pageErrors, signIn, skipWithoutBrowser, startBrowser } from '../../support/desk/browser.js'
import { deskServer, DOCUMENT } from '../../support/desk/server.js'

const skip = skipWithoutBrowser()
const SUMMARY = 'microsoft-azure-marketplace.summary'

/** The document with other texts. */
function changed (texts: { displayText?: string, summary?: string }): object {
  const { displayText = 'Reef DB', summary = 'A database' } = texts
  const { definition } = DOCUMENT
  return { ...DOCUMENT, definition: { ...definition, displayText, offer: { ...definition.offer, [SUMMARY]: summary } } }
}

await t.test('desk: editing in a browser', { skip }, async (t) => {
  const browser = await startBrowser(t)

  await t.test('edit and save: the list leads to the fields, and Save sends the tag that was read', async (t) => {
    const { address, put, get } = await deskServer(t)
    const tag = await put('reef-db', DOCUMENT)
    const page = await openWindow(t, browser)
    await signIn(page, address)
    await page.getByRole('link', { name: 'Reef DB' }).click()
    t.equal(await page.locator('#tag').textContent(), tag)
    const sent = page.waitForRequest((request) => request.method() === 'PUT')
    await page.getByLabel('Name').fill('Atoll DB')
    await page.locator('#save').click()
    t.equal((await sent).headers()['if-match'], tag, 'exactly as it was received')
    await page.getByText('Saved.', { exact: true }).waitFor()
    t.match(await get('reef-db'), changed({ displayText: 'Atoll DB' }), 'and all other members stay')
    t.not(await page.locator('#tag').textContent(), tag)
  })

  await t.test('two windows: the second save is refused, the edits are merged, and the person chooses for the field that both changed', async (t) => {
    const { address, put, get } = await deskServer(t)
    await put('reef-db', DOCUMENT)
    const [ann, bob] = [await openWindow(t, browser), await openWindow(t, browser)]
    for (const page of [ann, bob]) {
      await signIn(page, address)
      await page.goto(`${address}#/offers/contoso/reef-db`)
    }
    await bob.getByLabel('Name').fill("Bob's reef")
    await bob.getByLabel('Id of the plan').fill('large')
    await ann.getByLabel('Name').fill("Ann's reef")
    await ann.getByLabel('Summary').fill('A fast database')
    await ann.locator('#save').click()
    await ann.getByText('Saved.', { exact: true }).waitFor()
    // Noticed ahead of saving, or at the save: the conflict is the same.
    await bob.locator('#save').click()
    await bob.locator('#conflict-title').waitFor()
    t.ok(await bob.locator('#conflict-title').evaluate((title) => title.ownerDocument.activeElement === title))
    const row = bob.getByRole('row', { name: 'Name' })
    const cells = (await row.getByRole('cell').allInnerTexts()).slice(0, 3).map((cell) => cell.trim())
    t.strictSame(cells, ['Reef DB', "Ann's reef", "Bob's reef"])
    t.strictSame(await row.locator('mark').allInnerTexts(), ["Ann's reef", "Bob's reef"], 'what differs is marked')
    await bob.locator('#save-merged').click()
    await bob.getByText('Choose for each field that both changed.').waitFor()
    await row.getByLabel('Mine').check()
    await bob.locator('#save-merged').click()
    await bob.getByText('Saved.', { exact: true }).waitFor()
    t.match(await get('reef-db'), {
      definition: {
        displayText: "Bob's reef",
        offer: { [SUMMARY]: 'A fast database' },
        plans: [{ planId: 'large', regions: ['FI'] }]
      }
    })
  })

  await t.test('a change of somebody else is noticed ahead of saving, by a conditional GET that costs a 304 otherwise (RFC 9110 13.1.2)', async (t) => {
    const { address, put } = await deskServer(t)
    const tag = await put('reef-db', DOCUMENT)
    const page = await openWindow(t, browser)
    await signIn(page, address)
    await page.goto(`${address}#/offers/contoso/reef-db`)
    await page.getByLabel('Name').fill('Atoll DB')
    const look = async (): Promise<number> => {
      const answered = page.waitForResponse((response) =>
        response.request().method() === 'GET' && response.request().headers()['if-none-match'] === tag)
      await page.evaluate("dispatchEvent(new Event('focus'))")
      return (await answered).status()
    }
    t.equal(await look(), 304)
    t.equal(await page.getByText('Somebody else has changed').count(), 0)
    await put('reef-db', changed({ summary: 'Another one' }))
    t.equal(await look(), 200)
    await page.getByText('Somebody else has changed this offer since you read it.').waitFor()
    t.equal(await page.getByLabel('Name').inputValue(), 'Atoll DB', 'what was typed stays')
    await page.getByRole('button', { name: 'Compare' }).click()
    await page.getByText('All changes fit together.').waitFor()
  })

  await t.test('overwrite: the warning shows what would be lost, and the last write wins (RFC 9110 13.1.1)', async (t) => {
    const { address, put, get } = await deskServer(t)
    await put('reef-db', DOCUMENT)
    const page = await openWindow(t, browser)
    await signIn(page, address)
    await page.goto(`${address}#/offers/contoso/reef-db`)
    await page.getByLabel('Name').fill('Atoll DB')
    await put('reef-db', changed({ summary: 'Soon lost' }))
    await page.locator('#overwrite').click()
    const dialog = page.getByRole('dialog')
    await dialog.getByText('Soon lost').waitFor()
    await dialog.getByRole('button', { name: 'Back' }).click()
    t.match(await get('reef-db'), changed({ summary: 'Soon lost' }), 'nothing was written yet')
    await page.locator('#overwrite').click()
    const sent = page.waitForRequest((request) => request.method() === 'PUT')
    await page.locator('#overwrite-yes').click()
    t.equal((await sent).headers()['if-match'], '*')
    await page.getByText('Overwritten: the server has what you typed.').waitFor()
    t.match(await get('reef-db'), changed({ displayText: 'Atoll DB' }))
  })

  await t.test('overwrite: a warning whose read was slow does not open over another offer', async (t) => {
    const { address, put } = await deskServer(t)
    for (const id of ['reef-db', 'other-db']) await put(id, DOCUMENT)
    const page = await openWindow(t, browser)
    await signIn(page, address)
    await page.goto(`${address}#/offers/contoso/reef-db`)
    await page.getByLabel('Name').fill('Atoll DB')
    let release = (): void => {}
    const released = new Promise<void>((resolve) => { release = resolve })
    await page.route(/offers\/reef-db\?/, async (route) => {
      await released
      await route.continue()
    })
    // A look is conditional; the read ahead of the warning is not.
    const isRead = (request: Request): boolean =>
      request.url().includes('/offers/reef-db?') && request.headers()['if-none-match'] === undefined
    const asked = page.waitForRequest(isRead)
    await page.locator('#overwrite').click()
    await asked
    await page.goto(`${address}#/offers/contoso/other-db`)
    await page.getByText('other-db').waitFor()
    await page.locator('#field-name').waitFor()
    const answered = page.waitForResponse((response) => isRead(response.request()))
    release()
    await (await answered).finished()
    await page.evaluate('new Promise((resolve) => { requestAnimationFrame(() => { setTimeout(resolve) }) })')
    t.equal(await page.locator('dialog[open]').count(), 0)
  })

  await t.test('publish: a bar for each step, then the preview, then live', async (t) => {
    const { address, put, get } = await deskServer(t, { stepMs: 150 })
    await put('reef-db', DOCUMENT)
    const page = await openWindow(t, browser)
    await signIn(page, address)
    await page.goto(`${address}#/offers/contoso/reef-db`)
    await page.locator('#publish').click()
    await page.getByText('The publication has begun.').waitFor()
    t.equal(await page.getByRole('progressbar').count(), 6)
    await page.getByRole('link', { name: 'Preview' }).click()
    await page.getByRole('heading', { name: 'Preview of reef-db' }).waitFor()
    await page.getByRole('heading', { name: 'Reef DB' }).waitFor()
    await page.goBack()
    await page.locator('#golive[aria-disabled=false]').click()
    await page.getByRole('link', { name: 'Live version' }).waitFor()
    t.match(await get('reef-db'), { status: 'succeeded', version: 1 })
    await page.getByLabel('Name').fill('Atoll DB')
    t.ok(await page.locator('#publish').isDisabled(), 'what is not saved is not published')
    await page.locator('#save').click()
    await page.getByText('Saved.', { exact: true }).waitFor()
    await page.locator('#publish').click()
    await page.locator('#cancel[aria-disabled=false]').click()
    await page.getByText('The publication is canceled.').waitFor()
    t.match(await get('reef-db'), { status: 'canceled', version: 2 })
  })

  await t.test('a document that is no JSON is told at its field, and what was typed stays', async (t) => {
    const { address, put, get } = await deskServer(t)
    await put('reef-db', DOCUMENT)
    const page = await openWindow(t, browser)
    await signIn(page, address)
    await page.goto(`${address}#/offers/contoso/reef-db`)
    const rest = page.getByLabel('Further members, as JSON', { exact: true })
    await rest.fill('{ "offerTypeId": ')
    await page.locator('#save').click()
    await page.getByText('This is no JSON').waitFor()
    t.equal(await rest.getAttribute('aria-invalid'), 'true')
    t.ok(await rest.evaluate((field) => field.ownerDocument.activeElement === field), 'the field has the focus')
    t.equal(await rest.inputValue(), '{ "offerTypeId": ')
    t.match(await get('reef-db'), DOCUMENT)
  })

  await t.test('a new offer: an id that is taken is refused (RFC 9110 13.1.2), and what was typed stays, also on reload', async (t) => {
    const { address, put, get } = await deskServer(t)
    await put('reef-db', DOCUMENT)
    const page = await openWindow(t, browser)
    await signIn(page, address)
    await page.getByRole('link', { name: 'New offer' }).click()
    await page.getByLabel('Id', { exact: true }).fill('Reef DB')
    await page.getByLabel('Name').fill('Another reef')
    await page.getByRole('button', { name: 'Create' }).click()
    await page.getByText('An id has 1 to 50').waitFor()
    await page.getByLabel('Id', { exact: true }).fill('reef-db')
    const sent = page.waitForRequest((request) => request.method() === 'PUT')
    await page.getByRole('button', { name: 'Create' }).click()
    t.equal((await sent).headers()['if-none-match'], '*')
    await page.getByText('There is an offer with this id already.').waitFor()
    t.match(await get('reef-db'), DOCUMENT)
    await page.reload()
    t.equal(await page.getByLabel('Name').inputValue(), 'Another reef')
    await page.getByLabel('Id', { exact: true }).fill('reef-2')
    await page.getByLabel('Id of the plan').fill('small')
    await page.getByRole('button', { name: 'Create' }).click()
    await page.locator('#tag').waitFor()
    t.match(await get('reef-2'), { definition: { displayText: 'Another reef', plans: [{ planId: 'small' }] } })
  })

  await t.test('the demo: with the check off an update is lost, with the check on it is refused', async (t) => {
    const { address, get } = await deskServer(t)
    const page = await openWindow(t, browser)
    await signIn(page, address)
    await page.goto(`${address}#/demo/contoso`)
    const score = async (): Promise<string[]> => await page.locator('.score dd').allInnerTexts()
    const saveBoth = async (): Promise<void> => {
      await page.locator('#ann-name').fill("Ann's")
      await page.locator('#bob-name').fill("Bob's")
      for (const who of ['ann', 'bob']) {
        const answered = page.waitForResponse((response) => response.request().method() === 'PUT')
        await page.locator(`#${who}-save`).click()
        await answered
      }
    }
    await saveBoth()
    await page.getByText('Refused: Ann was faster, and nothing is lost.').waitFor()
    t.strictSame(await score(), ['1', '1', '0'])
    t.match(await get('desk-demo'), { definition: { displayText: "Ann's" } })
    await page.getByRole('button', { name: 'Start again' }).click()
    await page.locator('#score-saved').filter({ hasText: /^0$/ }).waitFor()
    await page.locator('#check-off').check()
    await saveBoth()
    await page.getByText('the change of Ann is lost').waitFor()
    t.strictSame(await score(), ['2', '0', '1'])
    t.match(await get('desk-demo'), { definition: { displayText: "Bob's" } })
  })

  await t.test('no page reported an error, and none broke its Content-Security-Policy', async (t) => {
    t.strictSame(pageErrors, [])
  })
})
