import { diffComm } from 'node-diff3'
import type { Maybe } from './json.js'

/** A part of a text, and whether it is not in the other one. */
export interface Part { text: string, isChanged: boolean }

/** A comparison of longer texts would take long, and its marks would help nobody. */
const MAX_WORDS = 2000

/** How a value is shown: a text as it is, anything else as JSON. Empty if there is none. */
export function shownText (value: Maybe): string {
  if (value === undefined) return ''
  return typeof value === 'string' ? value : JSON.stringify(value, null, 2)
}

/** The parts of a text, of which those are marked that are not in the other text, word by word. */
export function markedParts (text: string, other: string): Part[] {
  if (text === '') return []
  const words = text.split(/(\s+)/)
  const others = other.split(/(\s+)/)
  if (words.length + others.length > MAX_WORDS) return [{ text, isChanged: text !== other }]
  const parts: Part[] = []
  for (const { common, buffer2 } of diffComm(others, words) as Array<{ common?: string[], buffer2?: string[] }>) {
    const found = (common ?? buffer2!).join('')
    const last = parts.at(-1)
    // A space between two marks is marked as well: one long mark reads better than many short ones.
    const isChanged = common === undefined || (last?.isChanged === true && found.trim() === '')
    if (last?.isChanged === isChanged) last.text += found
    else if (found !== '') parts.push({ text: found, isChanged })
  }
  return parts
}
