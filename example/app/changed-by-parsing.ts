/** An object or an array around the place that is looked at. */
interface Level {
  /** The names so far, of an object. */
  names?: Set<string>
  /** Whether a name comes next. */
  isName: boolean
  /** The name or the index of the member. */
  at: string | number
}

/** The longest path that a text shows. */
const MAX_PATH = 100

/**
 * What JSON.parse would change in a text without a word, as the end of a sentence about it: a number that JavaScript
 * holds as another one, or a member that is there twice (decision 0019). Undefined if that is nothing.
 *
 * @param json a text that JSON.parse takes, so its form is not checked again
 */
export function changedByParsing (json: string): string | undefined {
  const levels: Level[] = []
  for (let index = 0; index < json.length; index++) {
    const character = json[index]!
    const level = levels.at(-1)
    if (character === '{') levels.push({ names: new Set(), isName: true, at: '' })
    else if (character === '[') levels.push({ isName: false, at: 0 })
    else if (character === '}' || character === ']') levels.pop()
    else if (character === ',') nextMember(level!)
    else if (character === '"') {
      const end = endOfText(json, index)
      if (level?.isName === true) {
        level.at = nameOf(json.slice(index, end))
        level.isName = false
        if (level.names!.has(level.at)) return `${pathOf(levels)} is there twice. Send it once.`
        level.names!.add(level.at)
      }
      index = end - 1
    } else if (character === '-' || isDigit(character)) {
      const end = endOfNumber(json, index)
      if (!isKept(json.slice(index, end))) {
        return `${pathOf(levels)} is a number that JavaScript would change. Send one with fewer digits, or a text.`
      }
      index = end - 1
    }
  }
  return undefined
}

function nextMember (level: Level): void {
  if (level.names === undefined) level.at = Number(level.at) + 1
  else level.isName = true
}

/** The index behind a text that begins here. */
function endOfText (json: string, start: number): number {
  let end = json.indexOf('"', start + 1)
  while (isEscaped(json, end)) end = json.indexOf('"', end + 1)
  return end + 1
}

/** Whether an odd number of backslashes stands ahead of a quote. */
function isEscaped (json: string, index: number): boolean {
  let start = index
  while (json[start - 1] === '\\') start--
  return (index - start) % 2 === 1
}

function endOfNumber (json: string, start: number): number {
  let end = start + 1
  while (end < json.length && '0123456789.eE+-'.includes(json[end]!)) end++
  return end
}

/** `"a"` and `"\u0061"` are one name. */
function nameOf (text: string): string {
  return text.includes('\\') ? JSON.parse(text) as string : text.slice(1, -1)
}

/** Whether JavaScript holds this very value, in whatever form it was written: 1.10 is 1.1, 1e2 is 100, and -0 is 0. */
function isKept (number: string): boolean {
  const held = String(Number(number))
  return held === number || decimalOf(held) === decimalOf(number)
}

/** A number as its sign, its digits from the first to the last that is not 0, and its power of ten. */
function decimalOf (number: string): string {
  const [mantissa, exponent = '0'] = number.toLowerCase().split('e') as [string, string?]
  const [whole, fraction = ''] = mantissa.replace('-', '').split('.') as [string, string?]
  const digits = whole + fraction
  let first = 0
  while (digits[first] === '0') first++
  if (first === digits.length) return '0'
  let end = digits.length
  while (digits[end - 1] === '0') end--
  const sign = mantissa.startsWith('-') ? '-' : ''
  return `${sign}${digits.slice(first, end)}e${Number(exponent) - fraction.length + digits.length - end}`
}

function isDigit (character: string): boolean {
  return character >= '0' && character <= '9'
}

/** The place as Ajv would tell it: a JSON Pointer (RFC 6901) into the body. */
function pathOf (levels: readonly Level[]): string {
  const steps = levels.map(({ at }) => String(at).replaceAll('~', '~0').replaceAll('/', '~1'))
  const path = ['body', ...steps].join('/')
  return path.length <= MAX_PATH ? path : `${path.slice(0, MAX_PATH)}…`
}
