import { html, type TemplateResult } from 'lit-html'
import type { Demo, DemoEditor } from '../demo.js'
import type { Translate } from '../messages/translate.js'
import { fieldView } from './fields.js'
import { noticeView } from './parts.js'

/** Two editors of one offer, the switch of the check, and what was saved, refused and lost. */
export function demoView (t: Translate, demo: Demo): TemplateResult {
  const { isChecked, score, shown, notice } = demo
  const radio = (id: string, checked: boolean, label: string): TemplateResult => html`
    <label class="choice"><input type="radio" name="check" id=${id} .checked=${isChecked === checked}
      @change=${() => { demo.setChecked(checked) }}> ${label}</label>`
  return html`
    <h1 tabindex="-1">${t('demoTitle')}</h1>
    <p>${t('demoText')}</p>
    ${noticeView(t, notice)}
    <fieldset class="choices">
      <legend class="visually-hidden">If-Match</legend>
      ${radio('check-on', true, t('demoCheck'))}${radio('check-off', false, t('demoCheckOff'))}
    </fieldset>
    <dl class="facts score" aria-live="polite">
      <div><dt>${t('demoSaved')}</dt><dd id="score-saved">${score.saved}</dd></div>
      <div><dt>${t('demoRefused')}</dt><dd id="score-refused">${score.refused}</dd></div>
      <div class="bad"><dt>${t('demoLost')}</dt><dd id="score-lost">${score.lost}</dd></div>
    </dl>
    <div class="two">${demo.editors.map((editor) => editorView(t, demo, editor))}</div>
    <section aria-labelledby="now-title" class="now">
      <h2 id="now-title">${t('demoNow')}</h2>
      <dl class="facts">
        <div><dt>${t('name')}</dt><dd>${shown?.name}</dd></div>
        <div><dt>${t('summary')}</dt><dd>${shown?.summary}</dd></div>
        <div><dt>ETag</dt><dd><code>${demo.current?.tag}</code></dd></div>
      </dl>
    </section>
    <p class="actions"><button type="button" @click=${() => demo.begin()}>${t('demoReset')}</button></p>`
}

function editorView (t: Translate, demo: Demo, editor: DemoEditor): TemplateResult {
  const { who, form, base, notice } = editor
  const prefix = who.toLowerCase()
  const submit = (event: Event): void => {
    event.preventDefault()
    void demo.save(editor)
  }
  const field = (name: 'name' | 'summary', label: string): TemplateResult =>
    fieldView(t, { name, label, value: form[name], prefix }, undefined, false, (value) => {
      demo.type(editor, { ...form, [name]: value })
    })
  return html`
    <form aria-labelledby=${`${prefix}-title`} @submit=${submit}>
      <h2 id=${`${prefix}-title`}>${t('demoEditor', { who })}</h2>
      ${field('name', t('name'))}
      ${field('summary', t('summary'))}
      <p class="hint">${t('readUnder')} <code>${base.tag}</code></p>
      <p class="actions">
        <button class="main" id=${`${prefix}-save`}>${t('save')}</button>
        <button type="button" id=${`${prefix}-read`} @click=${() => demo.read(editor)}>${t('demoRead')}</button>
      </p>
      ${noticeView(t, notice)}
    </form>`
}
