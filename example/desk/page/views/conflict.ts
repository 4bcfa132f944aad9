import { html, type TemplateResult } from 'lit-html'
import type { EditorControl } from '../editor-control.js'
import type { MessageKey } from '../messages/en.js'
import type { Translate } from '../messages/translate.js'
import { mergeOf } from '../model/editor.js'
import { fieldOfPath } from '../model/form.js'
import type { Maybe } from '../model/json.js'
import { markedParts, shownText } from '../model/marks.js'
import type { Field, Side } from '../model/merge.js'
import { noticeView, unlessDisabled } from './parts.js'

/** What was read, what the others have and what was typed, side by side, with a choice where they do not fit. */
export function conflictView (t: Translate, editor: EditorControl): TemplateResult {
  const merge = mergeOf(editor.state)
  const open = merge?.open.length ?? 0
  const { isSaving } = editor.state
  return html`
    <section class="conflict" aria-labelledby="conflict-title">
      <h2 id="conflict-title" tabindex="-1">${t('conflictTitle')}</h2>
      <p>${t('conflictText')}</p>
      ${noticeView(t, merge === undefined
        ? { tone: 'bad', key: 'flawedCompare' }
        : open > 0
          ? { tone: 'info', key: 'conflictOpen', values: { count: String(open) } }
          : { tone: 'good', key: 'conflictNone' })}
      <table class="cards compare">
        <thead><tr>
          <th scope="col">${t('field')}</th><th scope="col">${t('base')}</th><th scope="col">${t('theirs')}</th>
          <th scope="col">${t('mine')}</th><th scope="col">${t('becomes')}</th>
        </tr></thead>
        <tbody>${(merge?.fields ?? []).map((field, index) => rowView(t, field, index, choose))}</tbody>
      </table>
      <p class="actions">
        <button type="button" id="save-merged" class="main" aria-disabled=${isSaving}
          @click=${unlessDisabled(() => editor.saveMerged())}>
          ${isSaving ? t('saving') : t('saveMerged')}</button>
        <button type="button" class="quiet" aria-disabled=${isSaving}
          @click=${unlessDisabled(() => { editor.dispatch({ type: 'back' }) })}>${t('backToFields')}</button>
      </p>
    </section>`

  function choose (path: string, side: Side): void {
    editor.dispatch({ type: 'choose', path, side })
  }
}

const KEY_OF_CHANGE = {
  theirs: 'takesTheirs',
  mine: 'takesMine',
  both: 'takesBoth',
  merged: 'takesMerged'
} as const satisfies Record<Exclude<Field['change'], 'conflict'>, MessageKey>

function rowView (
  t: Translate,
  field: Field,
  index: number,
  choose: (path: string, side: Side) => void
): TemplateResult {
  const { path, base, theirs, mine, change, choice } = field
  const name = pathText(t, path)
  const radio = (side: Side, label: MessageKey): TemplateResult => html`
    <label class="choice"><input type="radio" name=${`choice-${index}`} value=${side} .checked=${choice === side}
      @change=${() => { choose(path, side) }}> ${t(label)}</label>`
  return html`
    <tr class=${change === 'conflict' && choice === undefined ? 'open' : ''}>
      <th scope="row">${name}</th>
      <td data-label=${t('base')}>${valueView(t, base, base)}</td>
      <td data-label=${t('theirs')}>${valueView(t, theirs, base)}</td>
      <td data-label=${t('mine')}>${valueView(t, mine, base)}</td>
      <td data-label=${t('becomes')}>${change === 'conflict'
        ? html`<fieldset class="choices"><legend class="visually-hidden">${t('choose', { field: name })}</legend>
            ${radio('theirs', 'takesTheirs')}${radio('mine', 'takesMine')}</fieldset>`
        : t(KEY_OF_CHANGE[change])}</td>
    </tr>`
}

/** A value, in which what the base does not have is marked. */
export function valueView (t: Translate, value: Maybe, base: Maybe): TemplateResult {
  if (value === undefined) return html`<em class=${base === undefined ? '' : 'gone'}>${t('nothing')}</em>`
  const parts = markedParts(shownText(value), shownText(base))
  return html`<span class="value">${parts.map(({ text, isChanged }) =>
    isChanged ? html`<mark>${text}</mark>` : text)}</span>`
}

/** How a field is called: its label if it has one, or else its place in the document. */
export function pathText (t: Translate, path: string): string {
  const field = fieldOfPath(path)
  if (field !== undefined) return t(field)
  return path.split('/').slice(1).map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~')).join(' › ') || '{}'
}
