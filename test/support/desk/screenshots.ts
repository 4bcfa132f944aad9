import { mkdirSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { chromium, type Page } from 'playwright-core'
import { buildApp } from '../../../example/app/index.js'
import { DEVELOPMENT_TOKENS, parseTokens } from '../../../example/app/tokens.js'
import { offersUrl } from '../example/app.js'
import { findProgram } from '../services/programs.js'

// Takes the pictures of the desk that the docs show. The clock of the server stands, so that they show the same times.

const FOLDER = 'docs/desk'
const SUMMARY = 'microsoft-azure-marketplace.summary'
const STEP_MS = 60_000

let now = Date.parse('2026-03-02T09:30:00Z')
const app = await buildApp({
  storage: memoryAdapter(), tokens: parseTokens(DEVELOPMENT_TOKENS), clock: () => now, stepMs: STEP_MS
})
await app.listen({ host: '127.0.0.1', port: 0 })
const address = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}/`
const browser = await chromium.launch({
  executablePath: findProgram('chromium')!, args: ['--no-sandbox', '--disable-dev-shm-usage']
})

async function call (method: 'PUT' | 'POST', path: string, payload: object = {}): Promise<void> {
  const headers = { authorization: 'Bearer dev-contoso', 'if-match': '*' }
  const { statusCode, body } = await app.inject({ method, url: offersUrl(path), headers, payload })
  if (statusCode >= 300) throw new Error(body)
}

const SMALL = { planId: 'small', regions: ['FI'] }

function offer (displayText: string, summary: string, plans: object[] = [SMALL]): object {
  return {
    offerTypeId: 'microsoft-azure-virtualmachines',
    definition: { displayText, offer: { [SUMMARY]: summary }, plans }
  }
}

const MARGIN = 16

async function take (page: Page, name: string, part = 'html'): Promise<void> {
  await page.evaluate('document.activeElement?.blur()')
  const path = join(FOLDER, `${name}.png`)
  if (part === 'html') await page.screenshot({ path, fullPage: true })
  else {
    const { x, y, width, height } = (await page.locator(part).boundingBox())!
    const clip = { x: x - MARGIN, y: y - MARGIN, width: width + 2 * MARGIN, height: height + 2 * MARGIN }
    await page.screenshot({ path, fullPage: true, clip })
  }
}

type Scheme = 'light' | 'dark'

/** A window in which somebody is signed in. */
async function openPage (colorScheme: Scheme): Promise<Page> {
  const context = await browser.newContext({
    colorScheme, locale: 'en-GB', timezoneId: 'UTC', viewport: { width: 900, height: 400 }
  })
  const page = await context.newPage()
  await page.goto(address)
  await page.getByRole('button', { name: 'dev-contoso' }).click()
  await page.locator('tbody a').first().waitFor()
  return page
}

async function takeOffers (colorScheme: Scheme): Promise<void> {
  await call('PUT', '/reef-db', offer('Reef DB', 'A database for reefs'))
  const page = await openPage(colorScheme)
  await take(page, `list-${colorScheme}`)

  await page.goto(`${address}#/offers/contoso/reef-db`)
  await page.locator('#field-name').fill('Reef DB for atolls')
  await page.locator('#publication-status').filter({ hasText: /\w/ }).waitFor()
  await take(page, `editor-${colorScheme}`)

  const plans = [{ planId: 'small', regions: ['FI', 'SE'] }]
  await call('PUT', '/reef-db', offer('Reef DB, new', 'A fast database for reefs', plans))
  await page.locator('#save').click()
  await page.locator('#conflict-title').waitFor()
  await take(page, `conflict-${colorScheme}`)

  await page.goto(`${address}#/offers/contoso/kelp-cache`)
  await page.locator('#publication-status').filter({ hasText: /\w/ }).waitFor()
  await take(page, `publication-${colorScheme}`, 'main > section')

  await page.setViewportSize({ width: 360, height: 640 })
  await page.goto(`${address}#/offers/contoso`)
  await page.locator('tbody a').first().waitFor()
  await take(page, `phone-${colorScheme}`)
  await page.context().close()
}

async function takeDemo (colorScheme: Scheme): Promise<void> {
  await call('PUT', '/desk-demo', offer('Reef DB', 'A database for reefs'))
  const page = await openPage(colorScheme)
  await page.goto(`${address}#/demo/contoso`)
  await page.locator('#check-off').check()
  await page.locator('#ann-name').fill('Reef DB by Ann')
  await page.locator('#bob-summary').fill('A database by Bob')
  await page.locator('#ann-save').click()
  await page.locator('#score-saved').filter({ hasText: '1' }).waitFor()
  await page.locator('#bob-save').click()
  await page.getByText('is lost').waitFor()
  await take(page, `demo-${colorScheme}`)
  await page.context().close()
}

mkdirSync(FOLDER, { recursive: true })
await call('PUT', '/kelp-cache', offer('Kelp cache', 'A cache that grows fast'))
await call('PUT', '/tide-queue', offer('Tide queue', 'Messages, twice a day'))
await call('POST', '/tide-queue/publish')
now += 4 * STEP_MS
await call('POST', '/kelp-cache/publish')
now += STEP_MS * 1.6
for (const colorScheme of ['light', 'dark'] as const) await takeOffers(colorScheme)
// The list of both shows the same offers: the one of the demo comes after them.
for (const colorScheme of ['light', 'dark'] as const) await takeDemo(colorScheme)
await browser.close()
await app.close()
