/** What a client saw of one register: all writes are compare-and-swaps, and each carries a value of its own. */
export type Seen =
  | { kind: 'applied', start: number, end: number, value: string, expected: string, version: string }
  | { kind: 'refused', start: number, end: number, value: string, current: { version: string, value: string } }
  | { kind: 'unavailable', value: string }
  | { kind: 'unknown', start: number, value: string, expected: string }
  | { kind: 'read', start: number, end: number, version: string, value: string }

/** A version, and the value that it has. */
interface State { version: string, value: string }

interface Placed { what: string, start: number, end: number, position: number, isWrite: boolean }

/**
 * Why no order of the calls, one after another, explains what was seen; empty if one does. A compare-and-swap names the
 * version that it replaces, so the writes are a chain, and the chain is the only order there can be. It remains to see
 * whether a call saw the past or the future.
 */
export function flawsOf (first: State, history: readonly Seen[]): string[] {
  const flaws: string[] = []
  const valueOf = new Map([[first.version, first.value]])
  for (const { version, value } of history.flatMap(statesIn)) {
    const known = valueOf.get(version) ?? value
    if (known !== value) flaws.push(`version ${version} is of ${known} and of ${value}`)
    valueOf.set(version, value)
  }
  const versionOf = new Map([...valueOf].map(([version, value]) => [value, version]))
  if (versionOf.size !== valueOf.size) flaws.push('a value was stored twice')

  const successor = new Map<string, string>()
  for (const seen of history) {
    // A value that somebody saw was applied, whatever its writer was told.
    const version = seen.kind === 'read' ? undefined : versionOf.get(seen.value)
    if (version === undefined) continue
    if (!('expected' in seen)) {
      flaws.push(`${seen.value} was ${seen.kind}, and is there`)
      continue
    }
    const other = successor.get(seen.expected)
    if (other !== undefined) {
      flaws.push(`lost update: ${seen.value} and ${valueOf.get(other)!} replaced the same version`)
    }
    successor.set(seen.expected, version)
  }

  const positions = chainFrom(first.version, successor)
  for (const [version, value] of valueOf) if (!positions.has(version)) flaws.push(`${value} is not on the chain`)
  return [...flaws, ...timeFlaws(history.flatMap((seen) => placed(seen, versionOf, positions)))]
}

function statesIn (seen: Seen): State[] {
  if (seen.kind === 'applied' || seen.kind === 'read') return [seen]
  return seen.kind === 'refused' ? [seen.current] : []
}

/** The position of each version in the chain. */
function chainFrom (first: string, successor: ReadonlyMap<string, string>): Map<string, number> {
  const positions = new Map<string, number>()
  let version: string | undefined = first
  while (version !== undefined && !positions.has(version)) {
    positions.set(version, positions.size)
    version = successor.get(version)
  }
  return positions
}

function placed (seen: Seen, versionOf: Map<string, string>, positions: Map<string, number>): Placed[] {
  if (seen.kind === 'unavailable') return []
  const version = statesIn(seen)[0]?.version ?? versionOf.get(seen.value)
  const position = positions.get(version ?? '')
  if (position === undefined) return []
  const { kind, start, value } = seen
  // The answer was lost, so nothing had to wait for it.
  const end = seen.kind === 'unknown' ? Infinity : seen.end
  return [{ what: `${kind} ${value}`, start, end, position, isWrite: 'expected' in seen }]
}

// A call that began after another had ended must not come before it in the chain, nor see a write that has not begun.
function timeFlaws (calls: readonly Placed[]): string[] {
  const flaws: string[] = []
  const byEnd = [...calls].sort((one, other) => one.end - other.end)
  const begun = new Map(calls.filter(({ isWrite }) => isWrite).map(({ position, start }) => [position, start]))
  let ended = 0
  let newest: Placed | undefined
  for (const call of [...calls].sort((one, other) => one.start - other.start)) {
    for (; byEnd[ended]!.end < call.start; ended++) {
      if (newest === undefined || byEnd[ended]!.position > newest.position) newest = byEnd[ended]
    }
    if (newest !== undefined && newest.position > call.position) {
      flaws.push(`${call.what} began after ${newest.what} had ended, and is before it`)
    }
    if ((begun.get(call.position) ?? -Infinity) > call.end) flaws.push(`${call.what} saw a write that had not begun`)
  }
  return flaws
}
