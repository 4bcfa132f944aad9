import { html, type TemplateResult } from 'lit-html'
import type { EditorControl } from '../editor-control.js'
import type { Translate } from '../messages/translate.js'
import { pathText, valueView } from './conflict.js'

/** Opens a dialog: the browser keeps the focus in it, and gives it back. */
export function openDialog (id: string): void {
  const dialog = document.querySelector<HTMLDialogElement>(`#${id}`)
  // A second click may have asked for it meanwhile.
  if (dialog?.open === false) dialog.showModal()
}

function close (event: Event): void {
  (event.target as HTMLElement).closest('dialog')?.close()
}

/** The warning ahead of an overwrite, with what would be lost. */
export function overwriteDialog (t: Translate, editor: EditorControl): TemplateResult {
  const { lost = [] } = editor
  return html`
    <dialog id="overwrite-dialog" aria-labelledby="overwrite-title" @close=${() => { editor.stopOverwrite() }}>
      <h2 id="overwrite-title">${t('overwriteTitle')}</h2>
      <p>${lost.length === 0 ? t('overwriteNothing') : t('overwriteLost')}</p>
      <dl>${lost.map(({ path, base, theirs }) => html`
        <dt>${pathText(t, path)}</dt>
        <dd>${valueView(t, theirs, base)}</dd>`)}</dl>
      <p class="actions">
        <button type="button" @click=${close}>${t('stop')}</button>
        <button type="button" id="overwrite-yes" class="danger" @click=${(event: Event) => {
          void editor.overwrite()
          close(event)
        }}>${t('overwriteYes')}</button>
      </p>
    </dialog>`
}

/** The question ahead of giving up what was typed. */
export function discardDialog (t: Translate, editor: EditorControl): TemplateResult {
  return html`
    <dialog id="discard-dialog" aria-labelledby="discard-title">
      <h2 id="discard-title">${t('discardTitle')}</h2>
      <p>${t('discardText')}</p>
      <p class="actions">
        <button type="button" @click=${close}>${t('stop')}</button>
        <button type="button" class="danger" @click=${(event: Event) => {
          editor.dispatch({ type: 'discard' })
          close(event)
        }}>${t('discardYes')}</button>
      </p>
    </dialog>`
}
