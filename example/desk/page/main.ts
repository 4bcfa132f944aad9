import { render } from 'lit-html'
import { Desk, type KnownToken } from './desk.js'
import { shell } from './views/shell.js'

/** How often an offer that is open is looked at, in milliseconds. A version that stayed costs a 304. */
const LOOK_PERIOD = 4000

const root = document.querySelector('#desk')!
const known = document.querySelector<HTMLMetaElement>('meta[name=development-tokens]')
let shownView = ''
// Whether the focus is to be on the heading of the view, which may come in several steps.
let isLed = false
let shownPhase = ''

const desk = new Desk(JSON.parse(known?.content ?? '[]') as KnownToken[], (desk) => {
  if (shownView === '') root.replaceChildren()
  render(shell(desk), root as HTMLElement)
  document.documentElement.lang = desk.language
  moveFocus()
  const heading = document.querySelector('main h1')?.textContent ?? ''
  document.title = [heading, desk.t('title')].filter((text) => text !== '').join(' · ')
})

// Whoever reads by ear or works by keyboard is led to what has changed as a whole: a view, a conflict, a wrong field.
function moveFocus (): void {
  const view = `${location.hash} ${desk.token === undefined}`
  const { phase = '', flaws = [] } = desk.editor?.state ?? {}
  const state = `${phase} ${flaws.map(({ field }) => field).join()}`
  const heading = document.querySelector<HTMLElement>('main h1')
  if (view !== shownView) {
    isLed = shownView !== ''
    if (isLed) (heading ?? document.querySelector<HTMLElement>('main'))?.focus()
  } else if (isLed) {
    // The heading of what was loaded is another element. A field that the page gave the focus keeps it.
    const { activeElement } = document
    if (activeElement === document.body || activeElement === document.querySelector('main')) heading?.focus()
  }
  if (view === shownView && state !== shownPhase && shownPhase !== '') {
    if (phase === 'conflict') document.querySelector<HTMLElement>('#conflict-title')?.focus()
    else if (flaws.length > 0) document.querySelector<HTMLElement>('[aria-invalid=true]')?.focus()
  }
  shownView = view
  shownPhase = state
}

// Ahead of the first paint the page has no words of its own: those of the document stay.
function fail (error: unknown): void {
  if (shownView !== '') desk.fail(error)
}

// A flaw of the page is told once: telling it may be what fails.
addEventListener('unhandledrejection', ({ reason }) => { fail(reason) }, { once: true })
addEventListener('error', ({ error }) => { fail(error) }, { once: true })
// The browser asks the person ahead of leaving a page that holds a text which nothing keeps.
addEventListener('beforeunload', (event) => { if (desk.isAtRisk) event.preventDefault() })
// A person who goes on is not led back.
for (const type of ['pointerdown', 'keydown']) addEventListener(type, () => { isLed = false })
addEventListener('hashchange', () => { void desk.open() })
addEventListener('focus', () => { void desk.look() })
addEventListener('online', () => { void desk.look() })
document.addEventListener('visibilitychange', () => { if (!document.hidden) void desk.look() })
setInterval(() => { if (!document.hidden) void desk.look() }, LOOK_PERIOD)

await desk.start()
