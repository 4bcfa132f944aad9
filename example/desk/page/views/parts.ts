import { html, nothing, type TemplateResult } from 'lit-html'
import type { MessageKey } from '../messages/en.js'
import type { Translate } from '../messages/translate.js'
import type { Notice } from '../model/notice.js'

/** What a view is made of. */
export type View = TemplateResult | typeof nothing

/**
 * The place for a notice, which is always there: screen readers read aloud what changes in it. A bad one interrupts.
 */
export function noticeView (t: Translate, notice: Notice | undefined, more: View = nothing): TemplateResult {
  const isBad = notice?.tone === 'bad'
  const text = notice === undefined ? '' : t(notice.key, notice.values)
  return html`
    <div role="status" class=${notice !== undefined && !isBad ? `notice ${notice.tone}` : 'silent'}>
      ${isBad ? '' : text}${isBad ? nothing : more}
    </div>
    <div role="alert" class=${isBad ? 'notice bad' : 'silent'}>${isBad ? text : ''}${isBad ? more : nothing}</div>`
}

const STATUSES: readonly string[] = [
  'neverPublished', 'running', 'waitingForPublisherReview', 'succeeded', 'canceled', 'failed'
] satisfies MessageKey[]

/** The status of an offer in words. A newer server may have one that the page does not know: it is shown as it is. */
export function statusText (t: Translate, status: unknown): string {
  if (status === 'canceled') return t('stepCanceled')
  return typeof status === 'string' && STATUSES.includes(status) ? t(status as MessageKey) : String(status)
}

/** A time as people write it in this language, and in the region that the browser prefers for it, such as `en-GB`. */
export function timeText (language: string, time: unknown): string {
  const date = new Date(String(time))
  if (Number.isNaN(date.getTime())) return String(time)
  const tag = navigator.languages.find((tag) => tag.split('-')[0] === language) ?? language
  return new Intl.DateTimeFormat(tag, { dateStyle: 'medium', timeStyle: 'medium' }).format(date)
}

/** What an input holds. */
export function valueOf (event: Event): string {
  return (event.target as HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement).value
}

/**
 * What a button does, unless it is disabled by `aria-disabled`. One that is `disabled` would lose the focus, and a
 * screen reader its place.
 */
export function unlessDisabled (act: () => unknown): (event: Event) => void {
  return ({ currentTarget }) => {
    if ((currentTarget as HTMLElement).ariaDisabled !== 'true') act()
  }
}
