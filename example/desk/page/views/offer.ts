import { html, nothing } from 'lit-html'
import type { Desk } from '../desk.js'
import { isDirty } from '../model/editor.js'
import { conflictView } from './conflict.js'
import { discardDialog, openDialog, overwriteDialog } from './dialogs.js'
import { fieldsView } from './fields.js'
import { noticeView, timeText, unlessDisabled, type View } from './parts.js'
import { publicationView } from './publication.js'

/** An offer: its fields, or the conflict about them, and its publication. */
export function offerView (desk: Desk): View {
  const { t, editor, publication, language } = desk
  if (editor === undefined) return noticeView(t, desk.notice ?? { tone: 'info', key: 'loading' })
  const { phase, base, form, notice, isSaving, theirs } = editor.state
  const { offer } = editor.place
  if (base === undefined || form === undefined) {
    return html`<h1 tabindex="-1">${offer}</h1>
      ${noticeView(t, phase === 'gone'
        ? { tone: 'bad', key: 'failedGone' }
        : notice ?? { tone: 'info', key: 'loading' })}
      <button type="button" @click=${() => editor.look()}>${t('refresh')}</button>`
  }
  const dirty = isDirty(editor.state)
  const compare = html` <button type="button" @click=${() => { editor.dispatch({ type: 'compare' }) }}>
    ${t('compare')}</button>`
  return html`
    <h1 tabindex="-1">${String(form.name || offer)}</h1>
    <dl class="facts">
      <div><dt>${t('offerId')}</dt><dd><code>${offer}</code></dd></div>
      <div><dt>${t('changed')}</dt><dd>${timeText(language, base.document['changedTime'])}</dd></div>
      <div><dt>${t('readUnder')}</dt><dd><code id="tag">${base.tag}</code></dd></div>
    </dl>
    ${noticeView(t, notice)}
    ${phase === 'gone' ? noticeView(t, { tone: 'bad', key: 'gone' }) : nothing}
    ${phase === 'editing' && theirs !== undefined ? noticeView(t, { tone: 'info', key: 'newer' }, compare) : nothing}
    ${phase === 'conflict'
      ? conflictView(t, editor)
      : html`
        <form novalidate @submit=${save}>
          ${fieldsView(t, editor.state, (form) => { editor.dispatch({ type: 'typed', form }) })}
          ${dirty && editor.isKept ? html`<p class="hint">${t('unsaved')}</p>` : nothing}
          ${noticeView(t, editor.isKept ? undefined : { tone: 'bad', key: 'notKept' })}
          <p class="actions">
            <button id="save" class="main" aria-disabled=${isSaving} aria-describedby="save-hint">
              ${isSaving ? t('saving') : phase === 'gone' ? t('createAgain') : t('save')}</button>
            <button type="button" id="overwrite" aria-disabled=${isSaving || phase === 'gone'}
              @click=${unlessDisabled(askOverwrite)}>${t('overwrite')}</button>
            <button type="button" class="quiet" aria-disabled=${isSaving || (!dirty && theirs === undefined)}
              @click=${unlessDisabled(() => { openDialog('discard-dialog') })}>${t('discard')}</button>
          </p>
          <p id="save-hint" class="hint">${t('saveHint')}</p>
        </form>
        ${publication === undefined || phase === 'gone'
          ? nothing
          : publicationView(t, publication, editor.place, dirty)}`}
    ${overwriteDialog(t, editor)}
    ${discardDialog(t, editor)}`

  function save (event: Event): void {
    event.preventDefault()
    void editor!.save()
  }

  async function askOverwrite (): Promise<void> {
    await editor!.askOverwrite()
    // Meanwhile the person may have gone to another offer, which has a warning of its own.
    if (desk.editor === editor && editor!.lost !== undefined) openDialog('overwrite-dialog')
  }
}
