import { html, nothing, type TemplateResult } from 'lit-html'
import { live } from 'lit-html/directives/live.js'
import type { MessageKey } from '../messages/en.js'
import type { Translate } from '../messages/translate.js'
import type { Editor } from '../model/editor.js'
import type { Flaw, Form, PlanForm } from '../model/form.js'
import { valueOf } from './parts.js'

/** One field: its name in flaws, its label and what it holds. */
interface Field { name: string, label: string, value: string, kind?: 'text' | 'lines' | 'json', prefix?: string }

/** The fields of an offer. `typed` is called with all of them after every key. */
export function fieldsView (
  t: Translate,
  { form, flaws, isSaving }: Pick<Editor, 'form' | 'flaws' | 'isSaving'>,
  typed: (form: Form) => void
): TemplateResult {
  const now = form!
  const field = (props: Field, put: (value: string) => Form): TemplateResult =>
    fieldView(t, props, flaws.find(({ field }) => field === props.name), isSaving, (value) => { typed(put(value)) })
  const plan = (index: number, change: Partial<PlanForm>): Form => ({
    ...now,
    plans: now.plans.map((plan, at) => at === index ? { ...plan, ...change } : plan)
  })
  return html`
    ${field({ name: 'name', label: t('name'), value: now.name }, (name) => ({ ...now, name }))}
    ${field({ name: 'summary', label: t('summary'), value: now.summary }, (summary) => ({ ...now, summary }))}
    ${field({ name: 'description', label: t('description'), value: now.description, kind: 'lines' },
      (description) => ({ ...now, description }))}
    <fieldset>
      <legend>${t('plans')}</legend>
      ${now.plans.map(({ planId, rest }, index) => html`
        <div class="plan" role="group" aria-label=${t('plan', { number: String(index + 1) })}>
          ${field({ name: `plans.${index}.planId`, label: t('planId'), value: planId },
            (planId) => plan(index, { planId }))}
          ${field({ name: `plans.${index}.rest`, label: t('planRest'), value: rest, kind: 'json' },
            (rest) => plan(index, { rest }))}
          <button type="button" class="quiet" ?disabled=${isSaving} @click=${() => {
            typed({ ...now, plans: now.plans.filter((_plan, at) => at !== index) })
          }}>${t('removePlan', { number: String(index + 1) })}</button>
        </div>`)}
      <button type="button" id="add-plan" ?disabled=${isSaving} @click=${() => {
        typed({ ...now, plans: [...now.plans, { planId: '', rest: '' }] })
      }}>${t('addPlan')}</button>
    </fieldset>
    ${field({ name: 'rest', label: t('rest'), value: now.rest, kind: 'json' }, (rest) => ({ ...now, rest }))}`
}

const KEY_OF_FLAW = {
  notJson: 'flawNotJson',
  notObject: 'flawNotObject',
  inexactNumber: 'flawInexactNumber',
  noPlanId: 'flawNoPlanId',
  twice: 'flawTwice'
} as const satisfies Record<Flaw['kind'], MessageKey>

/** A label, an input and what is wrong with it. While a save is under way nothing can be typed that it would miss. */
export function fieldView (
  t: Translate,
  { name, label, value, kind = 'text', prefix = 'field' }: Field,
  flaw: Flaw | undefined,
  isReadOnly: boolean,
  typed: (value: string) => void
): TemplateResult {
  const id = `${prefix}-${name.replaceAll('.', '-')}`
  const input = (event: Event): void => { typed(valueOf(event)) }
  const [invalid, describedBy] = flaw === undefined ? ['false', nothing] as const : ['true', `${id}-flaw`] as const
  return html`
    <label for=${id}>${label}</label>
    ${kind === 'text'
      ? html`<input id=${id} autocomplete="off" .value=${live(value)} ?readonly=${isReadOnly} aria-invalid=${invalid}
          aria-describedby=${describedBy} @input=${input}>`
      : html`<textarea id=${id} class=${kind} rows=${rowsOf(value)} spellcheck=${kind === 'json' ? 'false' : 'true'}
          .value=${live(value)} ?readonly=${isReadOnly} aria-invalid=${invalid} aria-describedby=${describedBy}
          @input=${input}></textarea>`}
    ${flaw === undefined
      ? nothing
      : html`<p id=${`${id}-flaw`} class="flaw">${t(KEY_OF_FLAW[flaw.kind], { detail: flaw.detail })}</p>`}`
}

function rowsOf (text: string): number {
  return Math.min(Math.max(text.split('\n').length, 2), 16)
}
