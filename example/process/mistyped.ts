import { SETTING_NAMES } from './settings.js'

/**
 * What to say of variables of the environment whose name is one letter off that of a setting: a letter more, less or
 * other, or two that changed places. They have no effect, which nobody would notice. Their values are not shown.
 */
export function mistypedSettings (env: Readonly<Record<string, string | undefined>>): string[] {
  // With tokens of the operator's own, the line that a start prints takes one of them from $TOKEN.
  const known = new Set([...SETTING_NAMES, ...(env.TOKENS === undefined ? [] : ['TOKEN'])])
  return Object.keys(env).filter((name) => !known.has(name)).flatMap((name) => {
    const meant = SETTING_NAMES.filter((setting) => isOneOff(name.toUpperCase(), setting)).join(' or ')
    return meant === '' ? [] : [`${name} is no setting of this server and has no effect. Did you mean ${meant}?`]
  })
}

/** Whether one edit makes one word of the other, or none is needed. */
function isOneOff (word: string, other: string): boolean {
  let start = 0
  while (start < word.length && word[start] === other[start]) start++
  const [rest, otherRest] = [word.slice(start), other.slice(start)]
  const swapped = rest.slice(0, 2) === [...otherRest.slice(0, 2)].reverse().join('')
  return rest.slice(1) === otherRest ||
    rest === otherRest.slice(1) ||
    rest.slice(1) === otherRest.slice(1) ||
    (swapped && rest.slice(2) === otherRest.slice(2))
}
