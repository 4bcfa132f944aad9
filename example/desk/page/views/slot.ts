import { html, nothing, type TemplateResult } from 'lit-html'
import type { Desk } from '../desk.js'
import { formOf } from '../model/form.js'
import { hashOf, type Route } from '../model/route.js'
import { noticeView } from './parts.js'

/** An offer as it is in a slot: what a preview shows, or what customers see. */
export function slotView (desk: Desk, route: Route & { view: 'slot' }): TemplateResult {
  const { t, slot, notice } = desk
  const { publisher, offer } = route
  const form = slot && formOf(slot)
  return html`
    <h1 tabindex="-1">${t(route.slot === 'preview' ? 'slotPreview' : 'slotProduction', { offer })}</h1>
    ${noticeView(t, notice ?? (slot === undefined ? { tone: 'info', key: 'loading' } : undefined))}
    ${form === undefined
      ? nothing
      : html`
        <article class="slot">
          <h2>${form.name}</h2>
          <p>${form.summary}</p>
          <p class="value">${form.description}</p>
          <h3>${t('plans')}</h3>
          <ul>${form.plans.map(({ planId }) => html`<li>${planId}</li>`)}</ul>
          <p>${t('version')}: ${slot!['version']}</p>
        </article>`}
    <p><a href=${hashOf({ view: 'offer', publisher, offer })}>${t('stop')}</a></p>`
}
