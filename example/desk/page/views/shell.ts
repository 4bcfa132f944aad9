import { html, nothing, type TemplateResult } from 'lit-html'
import { live } from 'lit-html/directives/live.js'
import type { Desk } from '../desk.js'
import { LANGUAGES, type Language } from '../model/language.js'
import { hashOf } from '../model/route.js'
import { demoView } from './demo.js'
import { listView } from './list.js'
import { newOfferView } from './new-offer.js'
import { offerView } from './offer.js'
import { noticeView, valueOf, type View } from './parts.js'
import { signInView } from './sign-in.js'
import { slotView } from './slot.js'

/** The whole page. */
export function shell (desk: Desk): TemplateResult {
  const { t, publisher, token } = desk
  return html`
    <a class="skip" href="#main" @click=${skip}>${t('skip')}</a>
    <header>
      <a class="brand" href=${hashOf({ view: 'list', publisher })}>${t('title')}</a>
      <nav>
        ${token === undefined || publisher === undefined
          ? nothing
          : html`
            <a href=${hashOf({ view: 'list', publisher })}>${t('offers')}</a>
            <a href=${hashOf({ view: 'demo', publisher })}>${t('demo')}</a>`}
        <a href="docs">${t('apiPage')}</a>
      </nav>
      <label class="inline">${t('language')}
        <select id="language" @change=${(event: Event) => desk.chooseLanguage(valueOf(event) as Language)}>
          ${Object.entries(LANGUAGES).map(([tag, name]) =>
            html`<option value=${tag} lang=${tag} .selected=${live(tag === desk.language)}>${name}</option>`)}
        </select>
      </label>
      ${token === undefined
        ? nothing
        : html`<button type="button" class="quiet" @click=${() => { desk.signOut() }}>${t('signOut')}</button>`}
    </header>
    <main id="main" tabindex="-1">${token === undefined ? signInView(desk) : viewOf(desk)}</main>`
}

function viewOf (desk: Desk): View {
  const { route } = desk
  switch (route.view) {
    case 'list': return listView(desk)
    case 'new': return newOfferView(desk)
    case 'offer': return offerView(desk)
    case 'slot': return slotView(desk, route)
    case 'demo': return desk.demo === undefined ? noticeView(desk.t, desk.notice) : demoView(desk.t, desk.demo)
  }
}

// The address names the view, so the link moves the focus by itself.
function skip (event: Event): void {
  event.preventDefault()
  document.querySelector<HTMLElement>('#main')?.focus()
}
