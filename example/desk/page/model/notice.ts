import type { MessageKey } from '../messages/en.js'

/** A sentence for the person: which one, and what its places hold. `tone` is how it is shown and read aloud. */
export interface Notice {
  tone: 'good' | 'info' | 'bad'
  key: MessageKey
  values?: Record<string, string>
}
