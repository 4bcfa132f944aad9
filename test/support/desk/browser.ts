import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core'
import type { Test } from 'tap'
import { findProgram } from '../services/programs.js'

// It finds what a page lacks for people who do not see it, or use no mouse.
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** The time that a page may take for a step, in milliseconds: it only ends a hang. */
const PATIENCE = 20_000

/** For `{ skip }` of a test: false, or why there is no browser. With REQUIRE_SERVICES=1 it throws. */
export function skipWithoutBrowser (): string | false {
  if (findProgram('chromium') !== undefined) return false
  if (process.env['REQUIRE_SERVICES'] === '1') throw new Error('REQUIRE_SERVICES=1, and no chromium: install it.')
  return 'no chromium on PATH'
}

/** The browser of the system, closed when the test ends. */
export async function startBrowser (t: Test): Promise<Browser> {
  const browser = await chromium.launch({
    executablePath: findProgram('chromium')!,
    // The tests of CI run as root, in a container, where Chromium has no sandbox of its own.
    args: ['--no-sandbox', '--disable-dev-shm-usage']
  })
  t.teardown(async () => { await browser.close() })
  return browser
}

/** What pages reported as errors in this process, those of the Content-Security-Policy included. */
export const pageErrors: string[] = []

/** A window of its own, with its own stores. What the page reports as an error is kept in `pageErrors`. */
export async function openWindow (
  t: Test,
  browser: Browser,
  options: BrowserContextOptions = {},
  expected: RegExp = /Failed to load resource/
): Promise<Page> {
  const context = await browser.newContext({ locale: 'en-GB', ...options })
  context.setDefaultTimeout(PATIENCE)
  await context.addInitScript({ content: AXE })
  const page = await context.newPage()
  page.on('pageerror', (error) => { pageErrors.push(String(error)) })
  page.on('console', (message) => {
    if (message.type() === 'error' && !expected.test(message.text())) pageErrors.push(message.text())
  })
  t.teardown(async () => { await context.close() })
  return page
}

/** Signs in with a token. */
export async function signIn (page: Page, address: string, token = 'dev-contoso'): Promise<void> {
  await page.goto(address)
  await page.locator('#token').fill(token)
  await page.keyboard.press('Enter')
  await page.locator('header button.quiet').waitFor()
}

/** What axe finds on the page as it is now: the rules, and the elements that break them. */
export async function findings (page: Page): Promise<string[]> {
  const found = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: { run: () => Promise<{ violations: Violation[] }> } }
    interface Violation { id: string, nodes: Array<{ target: unknown, failureSummary?: string }> }
    return (await axe.run()).violations
  })
  return found.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) =>
    `${id}: ${JSON.stringify(target)} ${failureSummary ?? ''}`))
}

/** The width of the narrowest cell of a table on the page, in pixels; Infinity without one. */
export async function narrowestCell (page: Page): Promise<number> {
  return await page.evaluate(`Math.min(...[...document.querySelectorAll('tbody td, tbody th')]
    .map((cell) => cell.getBoundingClientRect().width))`)
}

/** Whether the page is wider than its window. */
export async function isTooWide (page: Page): Promise<boolean> {
  return await page.evaluate('document.documentElement.scrollWidth > document.documentElement.clientWidth')
}
