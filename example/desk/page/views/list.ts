import { html, nothing, type TemplateResult } from 'lit-html'
import { live } from 'lit-html/directives/live.js'
import type { Desk } from '../desk.js'
import { hashOf } from '../model/route.js'
import { noticeView, statusText, timeText, valueOf } from './parts.js'

/** The offers of a publisher, with their status. */
export function listView (desk: Desk): TemplateResult {
  const { t, publisher, publishers = [], offers, notice, language } = desk
  if (publisher === undefined) {
    return html`<h1 tabindex="-1">${t('offers')}</h1>
      ${noticeView(t, notice ?? { tone: 'info', key: 'loading' })}
      <button type="button" @click=${() => desk.open()}>${t('refresh')}</button>`
  }
  const change = (event: Event): void => { location.hash = hashOf({ view: 'list', publisher: valueOf(event) }) }
  return html`
    <h1 tabindex="-1">${t('offersOf', { publisher })}</h1>
    ${publishers.length < 2
      ? nothing
      : html`
        <label class="inline">${t('publisher')}
          <select @change=${change}>
            ${publishers.map((id) => html`<option .selected=${live(id === publisher)}>${id}</option>`)}
          </select>
        </label>`}
    <p class="actions">
      <a class="button" href=${hashOf({ view: 'new', publisher })}>${t('newOffer')}</a>
      <button type="button" @click=${() => desk.loadList()}>${t('refresh')}</button>
    </p>
    ${noticeView(t, notice)}
    ${offers === undefined
      ? notice === undefined ? html`<p>${t('loading')}</p>` : nothing
      : offers.length === 0
        ? html`<p>${t('noOffers')}</p>`
        : html`
          <table class="cards">
            <thead><tr>
              <th scope="col">${t('name')}</th><th scope="col">${t('offerId')}</th><th scope="col">${t('status')}</th>
              <th scope="col">${t('version')}</th><th scope="col">${t('changed')}</th>
            </tr></thead>
            <tbody>${offers.map(({ id, status, version, changedTime, definition }) => html`
              <tr>
                <th scope="row"><a href=${hashOf({ view: 'offer', publisher, offer: id })}>
                  ${definition.displayText || id}</a></th>
                <td data-label=${t('offerId')}><code>${id}</code></td>
                <td data-label=${t('status')}>${statusText(t, status)}</td>
                <td data-label=${t('version')}>${version}</td>
                <td data-label=${t('changed')}>${timeText(language, changedTime)}</td>
              </tr>`)}</tbody>
          </table>`}`
}
