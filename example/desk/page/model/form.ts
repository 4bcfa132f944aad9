import { isObject, isSame, memberOf, objectOf, type Json, type JsonObject, type Maybe } from './json.js'

/** What the fields of the editor hold: each is a text as it was typed, also while it is no JSON. */
export interface Form {
  name: string
  summary: string
  description: string
  plans: PlanForm[]
  /** All other members of the document, as JSON. */
  rest: string
}

/** A plan, as it is typed. */
export interface PlanForm {
  planId: string
  /** All other members of the plan, as JSON. */
  rest: string
}

/** What is wrong in a field: its name, such as `rest` or `plans.0.rest`, and how. */
export interface Flaw {
  field: string
  kind: 'notJson' | 'notObject' | 'inexactNumber' | 'noPlanId' | 'twice'
  /** What the kind is about: a message of the parser, a number, a path. */
  detail: string
}

/** Members of a document that the server owns: it ignores them in a PUT (reading 12). */
const OWNED = new Set(['id', 'publisherId', 'status', 'version', 'changedTime'])

/** The texts that have a field of their own, by where they are in the document. */
const TEXTS = {
  name: ['definition', 'displayText'],
  summary: ['definition', 'offer', 'microsoft-azure-marketplace.summary'],
  description: ['definition', 'offer', 'microsoft-azure-marketplace.description']
} as const
const TEXT_NAMES = Object.keys(TEXTS) as Array<keyof typeof TEXTS>

/** The field of the editor that a path of a merge is about; undefined if it is one of the rest. */
export function fieldOfPath (path: string): keyof typeof TEXTS | undefined {
  return TEXT_NAMES.find((name) => path === `/${TEXTS[name].join('/')}`)
}

/** The document without the members that the server owns: what a PUT replaces. */
export function contentOf (document: JsonObject): JsonObject {
  return objectOf(Object.entries(document).filter(([name]) => !OWNED.has(name)))
}

/** The fields of a document. */
export function formOf (document: JsonObject): Form {
  let rest = contentOf(document)
  const texts = { name: '', summary: '', description: '' }
  for (const name of TEXT_NAMES) {
    const value = valueAt(rest, TEXTS[name])
    // Offer types have fields of their own: what is no text stays in the rest.
    if (typeof value !== 'string') continue
    texts[name] = value
    rest = withValueAt(rest, TEXTS[name], undefined)
  }
  const plans = valueAt(rest, PLANS)
  if (Array.isArray(plans) && plans.every((plan) => isObject(plan) && typeof plan['planId'] === 'string')) {
    rest = withValueAt(rest, PLANS, undefined)
    return { ...texts, plans: (plans as JsonObject[]).map(planFormOf), rest: textOf(rest) }
  }
  return { ...texts, plans: [], rest: textOf(rest) }
}

const PLANS = ['definition', 'plans'] as const

/** The fields of a plan. */
function planFormOf (plan: JsonObject): PlanForm {
  return {
    planId: plan['planId'] as string,
    rest: textOf(objectOf(Object.entries(plan).filter(([name]) => name !== 'planId')))
  }
}

/** The document that the fields say, or what is wrong with them. `base` is the document that was read. */
export function documentOf (form: Form, base: JsonObject): { content: JsonObject } | { flaws: Flaw[] } {
  const flaws: Flaw[] = []
  let content = parsed('rest', form.rest, flaws)
  const put = (path: readonly string[], value: Json): void => {
    // Neither of two values of one member is dropped in silence.
    if (valueAt(content, path) !== undefined) flaws.push({ field: 'rest', kind: 'twice', detail: path.join('/') })
    else content = withValueAt(content, path, value)
  }
  for (const name of TEXT_NAMES) {
    // An empty field where there was none adds nothing.
    if (form[name] !== '' || valueAt(base, TEXTS[name]) === '') put(TEXTS[name], form[name])
  }
  const plans = form.plans.map((plan, index) => {
    if (plan.planId === '') flaws.push({ field: `plans.${index}.planId`, kind: 'noPlanId', detail: '' })
    const rest = parsed(`plans.${index}.rest`, plan.rest, flaws)
    if (Object.hasOwn(rest, 'planId')) flaws.push({ field: `plans.${index}.rest`, kind: 'twice', detail: 'planId' })
    return objectOf([['planId', plan.planId], ...Object.entries(rest)])
  })
  const hadPlans = formOf(base).plans.length > 0 || isSame(valueAt(base, PLANS), [])
  if (plans.length > 0 || (hadPlans && valueAt(content, PLANS) === undefined)) put(PLANS, plans)
  return flaws.length > 0 ? { flaws } : { content }
}

function parsed (field: string, text: string, flaws: Flaw[]): JsonObject {
  if (text.trim() === '') return {}
  try {
    const value: unknown = JSON.parse(text)
    if (!isObject(value)) flaws.push({ field, kind: 'notObject', detail: '' })
    else {
      const number = inexactNumberIn(text)
      if (number === undefined) return value
      flaws.push({ field, kind: 'inexactNumber', detail: number })
    }
  } catch (error) {
    flaws.push({ field, kind: 'notJson', detail: (error as SyntaxError).message })
  }
  return {}
}

/** A number of more digits than JavaScript keeps: the server would be sent another one than was typed. */
function inexactNumberIn (text: string): string | undefined {
  const numbers = text.replaceAll(/"(?:[^"\\]|\\.)*"/g, '""').match(/-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g) ?? []
  return numbers.find((number) => digitsOf(number) !== digitsOf(String(Number(number))))
}

// The digits and the power of ten of a number, in one form: 1.50e3 and 1500 are the same.
function digitsOf (number: string): string {
  const [mantissa = '', exponent = '0'] = number.toLowerCase().split('e')
  const [whole = '', fraction = ''] = mantissa.replace('-', '').split('.')
  const digits = (whole + fraction).replace(/^0+/, '')
  const significant = digits.replace(/0+$/, '')
  return significant === ''
    ? '0'
    : `${significant}e${Number(exponent) - fraction.length + digits.length - significant.length}`
}

function valueAt (document: Maybe, path: readonly string[]): Maybe {
  return path.reduce((value: Maybe, name) => memberOf(value, name), document)
}

/**
 * The document with another value there, which undefined removes. Objects on the way are made, and kept when empty.
 * Where something else is in the way, the document stays: the server says what it wants there.
 */
function withValueAt (document: JsonObject, [name, ...path]: readonly string[], value: Maybe): JsonObject {
  const inner = memberOf(document, name!)
  if (path.length > 0 && inner !== undefined && !isObject(inner)) return document
  const next = path.length === 0 ? value : withValueAt(isObject(inner) ? inner : {}, path, value)
  const others = Object.entries(document)
  return objectOf(Object.hasOwn(document, name!)
    ? others.map(([other, member]) => [other, other === name ? next : member] as const)
    : [...others, [name!, next] as const])
}

function textOf (value: Json): string {
  return JSON.stringify(value, null, 2)
}
