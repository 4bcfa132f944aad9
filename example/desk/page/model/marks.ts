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
  for (const part of diffComm(others, words) as Array<{ common?: string[], buffer2?: string[] }>) {
    const found = (part.common ?? part.buffer2 ?? []).join('')
    if (found !== '') parts.push({ text: found, isChanged: part.common === undefined })
  }
  return parts
}
