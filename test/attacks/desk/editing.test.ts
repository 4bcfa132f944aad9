import t from 'tap'
import { openWindow, pageErrors, signIn, skipWithoutBrowser, startBrowser } from '../../support/desk/browser.js'
import { deskServer, DOCUMENT } from '../../support/desk/server.js'

const skip = skipWithoutBrowser()

await t.test('desk, in a browser', { skip }, async (t) => {
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
    await page.getByRole('button', { name: 'Save' }).click()
    t.equal((await sent).headers()['if-match'], tag, 'exactly as it was received')
    await page.getByText('Saved.', { exact: true }).waitFor()
    t.match(await get('reef-db'), { definition: { ...DOCUMENT.definition, displayText: 'Atoll DB' } })
    t.not(await page.locator('#tag').textContent(), tag)
  })

  await t.test('no page reported an error, and none broke its Content-Security-Policy', async (t) => {
    t.strictSame(pageErrors, [])
  })
})
