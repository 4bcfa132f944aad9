/** What a client would like in the answer to a request (RFC 7240 4.2). */
export type PreferredReturn = 'representation' | 'minimal'

// A member of the list up to its value: a token, and maybe "=" and a token or a quoted text (RFC 7240 2). Sticky, and
// without two ways to match one text, so the whole field is read in one pass.
const MEMBER = /[ \t]*([\w!#$%&'*+.^`|~-]+)[ \t]*(?:=[ \t]*([\w!#$%&'*+.^`|~-]+|"(?:[^"\\]|\\.)*"))?[ \t]*/y

/**
 * The preference `return` of the field `Prefer` (RFC 7240 2, 4.2). Its name is case-insensitive, and the first one
 * counts. `return=minimal` and `return=representation` in one request count as neither. Whatever cannot be read, or is
 * not known, is ignored.
 *
 * @param field as the app left it: its lines are a list, or joined by commas
 */
export function preferredReturn (field: unknown): PreferredReturn | undefined {
  if (field === undefined || field === null) return undefined
  const text = String(field)
  const values: string[] = []
  let index = 0
  while (index < text.length) {
    MEMBER.lastIndex = index
    const [member, name, value = ''] = MEMBER.exec(text) ?? ['']
    const end = endOfMember(text, index)
    // Behind the member itself only parameters may follow, which `return` has none of.
    const next = text[index + member.length]
    if (name?.toLowerCase() === 'return' && (next === undefined || next === ',' || next === ';')) {
      values.push(unquoted(value))
    }
    index = end + 1
  }
  const isContrary = values.includes('minimal') && values.includes('representation')
  const [first] = values
  return !isContrary && (first === 'representation' || first === 'minimal') ? first : undefined
}

/** The index of the comma that ends the member: one inside of quotes does not. */
function endOfMember (text: string, start: number): number {
  let isQuoted = false
  for (let index = start; index < text.length; index++) {
    const character = text[index]
    if (character === '"') isQuoted = !isQuoted
    else if (isQuoted && character === '\\') index++
    else if (!isQuoted && character === ',') return index
  }
  return text.length
}

function unquoted (value: string): string {
  return value.startsWith('"') ? value.slice(1, -1).replaceAll(/\\(.)/g, '$1') : value
}

/** The field `Vary` of an answer that depends on `Prefer`, and on what it depended on before (RFC 9110 12.5.5). */
export function varyByPrefer (vary: unknown): string {
  const before = vary === undefined || vary === null ? '' : String(vary)
  const names = before.toLowerCase().split(',').map((name) => name.trim())
  if (names.includes('*') || names.includes('prefer')) return before
  return before.trim() === '' ? 'Prefer' : `${before}, Prefer`
}
