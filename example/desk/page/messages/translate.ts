import type { Language } from '../model/language.js'
import type { MessageKey, Messages } from './en.js'

/** Says a message in the language of the page. */
export type Translate = (key: MessageKey, values?: Readonly<Record<string, string>>) => string

/** Loads the messages of a language. */
export async function messagesOf (language: Language): Promise<Messages> {
  switch (language) {
    case 'en': return (await import('./en.js')).en
    case 'de': return (await import('./de.js')).de
    case 'id': return (await import('./id.js')).id
    case 'sv': return (await import('./sv.js')).sv
  }
}

/** What says messages of this language. A place without a value stays as it is. */
export function translator (messages: Messages): Translate {
  return (key, values = {}) => messages[key].replaceAll(/\{(\w+)\}/g, (place, name: string) =>
    Object.hasOwn(values, name) ? values[name]! : place)
}
