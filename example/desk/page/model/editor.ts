import { contentOf, documentOf, formOf, type Flaw, type Form } from './form.js'
import { isSame, type Json, type JsonObject } from './json.js'
import { merge, type Field, type Merge, type Side } from './merge.js'
import type { Notice } from './notice.js'

/** A document, and the tag that it was read under. */
export interface Version { document: JsonObject, tag: string }

/** What an editor holds. What was typed is in `form`, and no event but a save that is done takes it away. */
export interface Editor {
  /** `conflict`: what was typed and what the server has stand side by side. `gone`: the offer is not there. */
  phase: 'loading' | 'editing' | 'conflict' | 'gone'
  isSaving: boolean
  /** What was read last, and what the typed texts began with. */
  base: Version | undefined
  form: Form | undefined
  /** The version of somebody else: in a conflict, or noticed ahead of saving. */
  theirs: Version | undefined
  choices: Readonly<Record<string, Side>>
  flaws: readonly Flaw[]
  notice: Notice | undefined
}

export type EditorEvent =
  /** The offer was read: at the start, or by looking whether it changed. */
  | { type: 'read', version: Version }
  | { type: 'restored', base: Version, form: Form }
  | { type: 'typed', form: Form }
  | { type: 'saving' }
  | { type: 'flawed', flaws: Flaw[] }
  | { type: 'saved', version: Version, notice?: Notice }
  /** A save of which nobody knew has arrived: what was sent of this form is stored. */
  | { type: 'arrived', version: Version, form: Form }
  /** 412: somebody else was faster. */
  | { type: 'refused', theirs: Version }
  | { type: 'failed', notice: Notice }
  | { type: 'gone' }
  | { type: 'compare' }
  | { type: 'choose', path: string, side: Side }
  /** Back to the fields, with what was typed. */
  | { type: 'back' }
  /** What was typed is given up, which the person has confirmed. */
  | { type: 'discard' }
  | { type: 'told', notice: Notice | undefined }

export const EMPTY_EDITOR: Editor = {
  phase: 'loading',
  isSaving: false,
  base: undefined,
  form: undefined,
  theirs: undefined,
  choices: {},
  flaws: [],
  notice: undefined
}

/** The editor after an event. */
export function after (editor: Editor, event: EditorEvent): Editor {
  switch (event.type) {
    case 'read': return afterRead(editor, event.version)
    case 'restored': {
      const { base, form } = event
      return { ...editor, phase: 'editing', base, form, notice: { tone: 'info', key: 'restored' } }
    }
    case 'typed': return { ...editor, form: event.form, flaws: [], notice: undefined }
    case 'saving': return { ...editor, isSaving: true, flaws: [], notice: undefined }
    case 'flawed':
      return { ...editor, isSaving: false, flaws: event.flaws, notice: { tone: 'bad', key: 'flawed' } }
    case 'saved': return { ...editing(event.version), notice: event.notice ?? { tone: 'good', key: 'saved' } }
    case 'arrived': {
      const { version, form } = event
      const notice: Notice = { tone: 'good', key: 'savedAfterLoss' }
      // What was typed since goes on from what is stored now.
      return editor.form === form
        ? { ...editing(version), notice }
        : { ...editor, base: version, theirs: undefined, choices: {}, phase: 'editing', notice }
    }
    case 'refused': return afterRefused(editor, event.theirs)
    case 'failed': return { ...editor, isSaving: false, notice: event.notice }
    case 'gone': return { ...editor, isSaving: false, phase: 'gone' }
    case 'compare': return afterCompare(editor)
    case 'choose': return { ...editor, choices: { ...editor.choices, [event.path]: event.side }, notice: undefined }
    case 'back': return { ...editor, phase: 'editing', notice: undefined }
    case 'discard': {
      const version = editor.theirs ?? editor.base
      return version === undefined ? editor : editing(version)
    }
    case 'told': return { ...editor, notice: event.notice }
  }
}

/** The version that an answer carries. One without a tag is a failure by then. */
export function versionOf ({ value, tag }: { value: JsonObject, tag: string | undefined }): Version {
  return { document: value, tag: tag! }
}

/** Whether something was typed that is not saved. */
export function isDirty ({ base, form }: Editor): boolean {
  if (base === undefined || form === undefined) return false
  return !isSame(formOf(base.document) as unknown as Json, form as unknown as Json)
}

/** What would become of the three versions in a conflict; undefined without one, or while a field holds no JSON. */
export function mergeOf ({ base, theirs, form, choices }: Editor): Merge | undefined {
  if (base === undefined || theirs === undefined || form === undefined) return undefined
  const mine = documentOf(form, base.document)
  if ('flaws' in mine) return undefined
  return merge(contentOf(base.document), contentOf(theirs.document), mine.content, choices)
}

/** The changes of others, in this version, that an overwrite with what was typed would lose. */
export function lostByOverwrite (editor: Editor, theirs: Version): Field[] {
  const fields = mergeOf({ ...editor, theirs, choices: {} })?.fields ?? []
  return fields.filter(({ change }) => change === 'theirs' || change === 'conflict' || change === 'merged')
}

/** Whether two versions have the same content: the clock, and publications, change the tag as well. */
export function isSameContent (one: Version, other: Version): boolean {
  return isSame(contentOf(one.document), contentOf(other.document))
}

function editing (version: Version): Editor {
  return { ...EMPTY_EDITOR, phase: 'editing', base: version, form: formOf(version.document) }
}

function afterRead (editor: Editor, version: Version): Editor {
  const { base, phase, notice } = editor
  if (base === undefined) return { ...editing(version), notice }
  if (version.tag === base.tag) return { ...editor, phase: phase === 'gone' ? 'editing' : phase }
  // The tag moved and the content did not: what is typed goes on from the new tag.
  if (isSameContent(base, version)) return { ...editor, base: version, theirs: undefined, phase: 'editing' }
  if (!isDirty(editor)) return { ...editing(version), notice: { tone: 'info', key: 'reloaded' } }
  // A save of this page that arrived late is no change of somebody else.
  if (isTyped(editor, version)) return { ...editing(version), notice: { tone: 'good', key: 'savedAlready' } }
  return withTheirs(editor, version, phase === 'conflict' ? 'conflict' : 'editing')
}

// What is no JSON cannot be compared: the person mends it first, in the fields.
function afterCompare (editor: Editor): Editor {
  const { base, form, theirs } = editor
  if (theirs === undefined || base === undefined || form === undefined) return editor
  const mine = documentOf(form, base.document)
  if ('flaws' in mine) return { ...editor, flaws: mine.flaws, notice: { tone: 'bad', key: 'flawedCompare' } }
  return { ...editor, phase: 'conflict', notice: undefined }
}

function afterRefused (editor: Editor, theirs: Version): Editor {
  // An earlier save whose answer was lost, or somebody else with the same thought.
  if (isTyped(editor, theirs)) {
    return { ...editing(theirs), notice: { tone: 'good', key: 'savedAlready' } }
  }
  return { ...withTheirs(editor, theirs, 'conflict'), isSaving: false }
}

// Whether a version has exactly what was typed.
function isTyped ({ base, form }: Editor, version: Version): boolean {
  const mine = form && base && documentOf(form, base.document)
  return mine !== undefined && 'content' in mine && isSame(mine.content, contentOf(version.document))
}

// A choice was made between two values: it stays as long as the other one is what it was.
function withTheirs (editor: Editor, theirs: Version, phase: Editor['phase']): Editor {
  const earlier = new Map(mergeOf(editor)?.fields.map(({ path, theirs }) => [path, theirs]))
  const next = { ...editor, theirs, phase }
  const fields = mergeOf(next)?.fields ?? []
  const kept = fields.filter(({ path, theirs }) =>
    Object.hasOwn(editor.choices, path) && isSame(earlier.get(path), theirs))
  return { ...next, choices: Object.fromEntries(kept.map(({ path }) => [path, editor.choices[path]!])) }
}
