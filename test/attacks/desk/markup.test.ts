import t from 'tap'
import { openWindow, pageErrors, signIn, skipWithoutBrowser, startBrowser } from '../../support/desk/browser.js'
import { deskServer, DOCUMENT } from '../../support/desk/server.js'

const skip = skipWithoutBrowser()
const SUMMARY = 'microsoft-azure-marketplace.summary'

await t.test('desk: markup in a browser', { skip }, async (t) => {
  const browser = await startBrowser(t)

  await t.test('an offer whose fields hold markup: it is shown as text in every view, and nothing of it runs', async (t) => {
    const markup = '<img src=x onerror="globalThis.ran = true"><script>globalThis.ran = true</script>'
    const { address, put } = await deskServer(t, { stepMs: 1 })
    const image = { 'microsoft-azure-virtualmachines.vmImages': { '1.0.0': { osVhdUrl: 'http://x' } } }
    const document = {
      ...DOCUMENT,
      [markup]: markup,
      definition: {
        displayText: markup,
        offer: { [SUMMARY]: markup, [markup]: markup },
        plans: [{ planId: markup, ...image }]
      }
    }
    await put('reef-db', document)
    const page = await openWindow(t, browser)
    await signIn(page, address)
    const assertText = async (where: string): Promise<void> => {
      t.equal(await page.locator('main img, main script').count(), 0, where)
      t.equal(await page.evaluate('globalThis.ran'), undefined, where)
    }
    await page.getByRole('link', { name: markup }).waitFor()
    await assertText('list')
    await page.getByRole('link', { name: markup }).click()
    await page.getByRole('heading', { name: markup }).waitFor()
    await assertText('fields')
    await page.locator('#publish').click()
    await page.getByText('cannot be fetched').waitFor()
    await assertText('message of a publication')
    await page.getByLabel('Summary').fill(`${markup} mine`)
    const theirs = { ...document.definition, offer: { [SUMMARY]: `${markup} theirs` } }
    await put('reef-db', { ...document, definition: theirs })
    await page.locator('#save').click()
    await page.locator('#conflict-title').waitFor()
    await page.locator('mark').filter({ hasText: 'theirs' }).waitFor()
    await assertText('conflict')
  })

  await t.test('whatever a script would make of a text, the browser itself refuses to make markup of it', async (t) => {
    const { address } = await deskServer(t)
    const page = await openWindow(t, browser, {}, /TrustedHTML|Failed to load|connect-src|Fetch API/)
    await signIn(page, address)
    for (const script of ["document.body.innerHTML = '<b>x</b>'", "document.write('<b>x</b>')"]) {
      await t.rejects(page.evaluate(script), /TrustedHTML/, script)
    }
    await t.rejects(page.evaluate("fetch('http://127.0.0.1:9/')"), /fetch/, 'nor does it talk to another host')
  })

  await t.test('no page reported an error, and none broke its Content-Security-Policy', async (t) => {
    t.strictSame(pageErrors, [])
  })
})
