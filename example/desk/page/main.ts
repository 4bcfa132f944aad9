import { render } from 'lit-html'
import { Desk, type KnownToken } from './desk.js'
import { shell } from './views/shell.js'

/** How often an offer that is open is looked at, in milliseconds. A version that stayed costs a 304. */
const LOOK_PERIOD = 4000

const root = document.querySelector('#desk')!
const known = document.querySelector<HTMLMetaElement>('meta[name=development-tokens]')
let shownView = ''
let shownPhase = ''

const desk = new Desk(JSON.parse(known?.content ?? '[]') as KnownToken[], (desk) => {
  if (shownView === '') root.replaceChildren()
  render(shell(desk), root as HTMLElement)
  document.documentElement.lang = desk.language
  document.title = desk.t('title')
  moveFocus()
})

// Whoever reads by ear or works by keyboard is led to what has changed as a whole: a view, a conflict, a wrong field.
function moveFocus (): void {
  const view = `${location.hash} ${desk.token === undefined}`
  const { phase = '', flaws = [] } = desk.editor?.state ?? {}
  const state = `${phase} ${flaws.map(({ field }) => field).join()}`
  if (view !== shownView) {
    if (shownView !== '') document.querySelector<HTMLElement>('main h1')?.focus()
  } else if (state !== shownPhase && shownPhase !== '') {
    if (phase === 'conflict') document.querySelector<HTMLElement>('#conflict-title')?.focus()
    else if (flaws.length > 0) document.querySelector<HTMLElement>('[aria-invalid=true]')?.focus()
  }
  shownView = view
  shownPhase = state
}

// A flaw of the page is told once: telling it may be what fails.
addEventListener('unhandledrejection', ({ reason }) => { desk.fail(reason) }, { once: true })
addEventListener('error', ({ error }) => { desk.fail(error) }, { once: true })
// The browser asks the person ahead of leaving a page that holds a text which nothing keeps.
addEventListener('beforeunload', (event) => { if (desk.isAtRisk) event.preventDefault() })
addEventListener('hashchange', () => { void desk.open() })
addEventListener('focus', () => { void desk.look() })
addEventListener('online', () => { void desk.look() })
document.addEventListener('visibilitychange', () => { if (!document.hidden) void desk.look() })
setInterval(() => { if (!document.hidden) void desk.look() }, LOOK_PERIOD)

await desk.start()
