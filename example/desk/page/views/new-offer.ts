import { html, type TemplateResult } from 'lit-html'
import { live } from 'lit-html/directives/live.js'
import type { Desk, NewOffer } from '../desk.js'
import { noticeView, valueOf } from './parts.js'

/** The fields that a new offer needs. */
export function newOfferView (desk: Desk): TemplateResult {
  const { t, newOffer, isCreating } = desk
  const submit = (event: Event): void => {
    event.preventDefault()
    void desk.create()
  }
  const type = (name: keyof NewOffer) => (event: Event): void => { desk.typeNew({ [name]: valueOf(event) }) }
  return html`
    <h1 tabindex="-1">${t('newOffer')}</h1>
    ${noticeView(t, newOffer.notice)}
    <form class="narrow" novalidate @submit=${submit}>
      <label for="new-id">${t('offerId')}</label>
      <input id="new-id" autocomplete="off" spellcheck="false" aria-describedby="new-id-hint"
        .value=${live(newOffer.id)} ?readonly=${isCreating} @input=${type('id')}>
      <p id="new-id-hint" class="hint">${t('offerIdHint')}</p>
      <label for="new-name">${t('name')}</label>
      <input id="new-name" autocomplete="off" .value=${live(newOffer.name)}
        ?readonly=${isCreating} @input=${type('name')}>
      <label for="new-plan">${t('planId')}</label>
      <input id="new-plan" autocomplete="off" .value=${live(newOffer.planId)}
        ?readonly=${isCreating} @input=${type('planId')}>
      <button class="main" aria-disabled=${isCreating}>${isCreating ? t('saving') : t('create')}</button>
    </form>`
}
