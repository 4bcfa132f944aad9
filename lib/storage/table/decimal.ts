const DECIMAL = /^([+-]?)(\d*)\.?(\d*)(?:e([+-]?\d+))?$/i

/** Whether two texts are the same number: `1.10` and `1.1`, `1e+21` and its digits. False for what is no decimal. */
export function isSameDecimal (a: string, b: string): boolean {
  const one = canonical(a)
  return one !== undefined && one === canonical(b)
}

// Its digits without zeros at either end, and the exponent of the last one.
function canonical (text: string): string | undefined {
  const [, sign, whole = '', fraction = '', exponent = '0'] = DECIMAL.exec(text) ?? []
  if (whole + fraction === '') return undefined
  const digits = (whole + fraction).replace(/^0+/, '')
  const significant = digits.replace(/0+$/, '')
  if (significant === '') return '0'
  const last = Number(exponent) - fraction.length + digits.length - significant.length
  return `${sign === '-' ? '-' : ''}${significant}e${last}`
}
