/** The languages of the page, by their tags (RFC 5646), with the names that they give themselves. */
export const LANGUAGES = { en: 'English', de: 'Deutsch', id: 'Bahasa Indonesia', sv: 'Svenska' } as const

export type Language = keyof typeof LANGUAGES

/** Whether the page has this language. */
export function isLanguage (tag: string | null | undefined): tag is Language {
  return typeof tag === 'string' && Object.hasOwn(LANGUAGES, tag)
}

/**
 * The language of the page: what the person chose, or else the first of those that the browser prefers, or English. A
 * preference for a region, such as `de-AT`, is one for its language.
 */
export function chooseLanguage (chosen: string | null | undefined, preferred: readonly string[]): Language {
  if (isLanguage(chosen)) return chosen
  return preferred.map((tag) => tag.toLowerCase().split('-')[0]).find(isLanguage) ?? 'en'
}
