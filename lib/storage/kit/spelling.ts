/** In how many letters two names differ: one too many, missing, or wrong. Case, dashes and underscores do not count. */
export function lettersApart (name: string, other: string): number {
  const a = lettersOf(name)
  const b = lettersOf(other)
  // The edit distance, row by row. Two neighbours that changed places count as one letter.
  let above: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = last[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      const isSwap = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      row.push(Math.min(replaced, row[j - 1]! + 1, last[j]! + 1, isSwap ? above[j - 2]! + 1 : Infinity))
    }
    above = last
    last = row
  }
  return last[b.length]!
}

/** The name that somebody meant who wrote this one: of those that differ in at most two letters, the nearest. */
export function meantBy (name: string, names: readonly string[]): string | undefined {
  const near = names.filter((other) => lettersApart(name, other) <= Math.min(2, other.length / 3))
  return near.sort((one, other) => lettersApart(name, one) - lettersApart(name, other))[0]
}

function lettersOf (name: string): string {
  return name.toLowerCase().replace(/[-_\s]/g, '')
}
