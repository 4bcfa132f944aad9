import { html, nothing, type TemplateResult } from 'lit-html'
import type { Place } from '../api/offers.js'
import type { MessageKey } from '../messages/en.js'
import type { Translate } from '../messages/translate.js'
import { textOfHtml } from '../model/html-text.js'
import { hashOf } from '../model/route.js'
import type { Publication } from '../publication.js'
import { statusText, unlessDisabled } from './parts.js'

const KEY_OF_STEP: Readonly<Record<string, MessageKey>> = {
  notStarted: 'stepNotStarted',
  inProgress: 'stepInProgress',
  waitingForPublisherReview: 'stepWaiting',
  rejected: 'stepRejected',
  complete: 'stepComplete',
  canceled: 'stepCanceled'
}

/** How far the publication is, step by step, and what its publisher may do now. */
export function publicationView (
  t: Translate,
  publication: Publication,
  place: Place,
  isDirty: boolean
): TemplateResult {
  const { progress, isBusy } = publication
  const status = progress?.status
  const isActive = status === 'running' || status === 'waitingForPublisherReview'
  const isWaiting = status === 'waitingForPublisherReview'
  const link = (slot: 'preview' | 'production', label: 'preview' | 'live'): TemplateResult =>
    html`<a id=${label} href=${hashOf({ view: 'slot', ...place, slot })}>${t(label)}</a>`
  return html`
    <section aria-labelledby="publication-title">
      <h2 id="publication-title">${t('publication')}</h2>
      <p role="status" id="publication-status">
        ${status === undefined ? '' : `${t('status')}: ${statusText(t, status)}`}</p>
      ${status === undefined || status === 'neverPublished'
        ? nothing
        : html`<ol class="steps">${progress!.steps.map(({ stepName, status, progressPercentage, messages }) => {
          const text = stepText(t, status)
          return html`
            <li class=${status}>
              <span class="step">${stepName}</span>
              <progress max="100" .value=${progressPercentage} aria-label=${stepName}></progress>
              <span class="state">${text}${status === 'inProgress' ? ` ${progressPercentage} %` : ''}</span>
              ${messages.map(({ messageHtml }) => html`<p class="flaw">${textOfHtml(messageHtml)}</p>`)}
            </li>`
        })}</ol>`}
      <p class="actions">
        <button type="button" id="publish" aria-disabled=${isBusy || isDirty || isActive}
          aria-describedby=${isDirty ? 'publish-hint' : nothing}
          @click=${unlessDisabled(() => publication.act('publish'))}>${t('publish')}</button>
        <button type="button" id="golive" aria-disabled=${isBusy || !isWaiting}
          @click=${unlessDisabled(() => publication.act('golive'))}>${t('goLive')}</button>
        <button type="button" id="cancel" class="quiet" aria-disabled=${isBusy || !isActive}
          @click=${unlessDisabled(() => publication.act('cancel'))}>${t('cancel')}</button>
        ${isWaiting ? link('preview', 'preview') : nothing}
        ${status === 'succeeded' ? link('production', 'live') : nothing}
      </p>
      ${isDirty ? html`<p id="publish-hint" class="hint">${t('publishHint')}</p>` : nothing}
    </section>`
}

// A newer server may have a state that the page does not know: it is shown as it is.
function stepText (t: Translate, status: string): string {
  const key = KEY_OF_STEP[status]
  return key === undefined ? status : t(key)
}
