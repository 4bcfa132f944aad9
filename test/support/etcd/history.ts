/** What a client saw of one register, whose writes are all compare-and-swaps and carry a value of their own. */
export type Seen =
  | { kind: 'applied', start: number, end: number, value: string, expected: string, version: string }
  | { kind: 'refused', start: number, end: number, value: string, current: { version: string, value: string } }
  | { kind: 'unavailable', value: string }
  | { kind: 'unknown', start: number, value: string, expected: string }
  | { kind: 'read', start: number, end: number, version: string, value: string }

interface Placed { what: string, start: number, end: number, position: number, isWrite: boolean }

/**
 * Why no order of the calls, one after another, explains what was seen; empty if one does. A compare-and-swap names what
 * it took the place of, so the writes are a chain from the first version to the last, and the only order there is: what
 * remains is whether nobody saw the past, or the future.
 */
export function flawsOf (first: { version: string, value: string }, history: readonly Seen[]): string[] {
  const flaws: string[] = []
  const valueOf = new Map([[first.version, first.value]])

  function note (version: string, value: string): void {
    const known = valueOf.get(version) ?? value
    if (known !== value) flaws.push(`version ${version} is of ${known} and of ${value}`)
    valueOf.set(version, value)
  }
  for (const seen of history) {
    if (seen.kind === 'applied' || seen.kind === 'read') note(seen.version, seen.value)
    if (seen.kind === 'refused') note(seen.current.version, seen.current.value)
  }
  const versionOf = new Map([...valueOf].map(([version, value]) => [value, version]))
  if (versionOf.size !== valueOf.size) flaws.push('a value was stored twice')

  // What was seen by anybody was applied, whatever its writer was told.
  const successor = new Map<string, string>()
  for (const seen of history) {
    const version =
      'expected' in seen || seen.kind === 'refused' || seen.kind === 'unavailable'
        ? versionOf.get(seen.value)
        : undefined
    if (version === undefined) continue
    if (seen.kind === 'refused' || seen.kind === 'unavailable') { flaws.push(`${seen.value} was ${seen.kind}, and is there`) }
    if (!('expected' in seen)) continue
    if (successor.has(seen.expected)) {
      flaws.push(
        `lost update: ${seen.value} and ${valueOf.get(successor.get(seen.expected)!)!} replaced the same version`
      )
    }
    successor.set(seen.expected, version)
  }

  const positions = new Map<string, number>()
  for (
    let version: string | undefined = first.version;
    version !== undefined && !positions.has(version);
    version = successor.get(version)
  ) { positions.set(version, positions.size) }
  for (const [version, value] of valueOf) if (!positions.has(version)) flaws.push(`${value} is not on the chain`)

  return [...flaws, ...timeFlaws(history.flatMap((seen) => placed(seen, versionOf, positions)))]
}

function placed (seen: Seen, versionOf: Map<string, string>, positions: Map<string, number>): Placed[] {
  if (seen.kind === 'unavailable') return []
  const version =
    seen.kind === 'refused' ? seen.current.version : seen.kind === 'read' ? seen.version : versionOf.get(seen.value)
  const position = positions.get(version ?? '')
  if (position === undefined) return []
  const { kind, start, value } = seen
  // The answer was lost, so nothing had to wait for it.
  const end = seen.kind === 'unknown' ? Infinity : seen.end
  return [{ what: `${kind} ${value}`, start, end, position, isWrite: 'expected' in seen }]
}

// What ended before another began must not be behind it in the chain; nobody sees a write that has not begun.
function timeFlaws (calls: readonly Placed[]): string[] {
  const flaws: string[] = []
  const byEnd = [...calls].sort((a, b) => a.end - b.end)
  const begun = new Map(calls.filter(({ isWrite }) => isWrite).map(({ position, start }) => [position, start]))
  let at = 0
  let newest: Placed | undefined
  for (const call of [...calls].sort((a, b) => a.start - b.start)) {
    for (; byEnd[at]!.end < call.start; at++) { if (newest === undefined || byEnd[at]!.position > newest.position) newest = byEnd[at] }
    if (newest !== undefined && newest.position > call.position) { flaws.push(`${call.what} began after ${newest.what} had ended, and is before it`) }
    if ((begun.get(call.position) ?? -Infinity) > call.end) flaws.push(`${call.what} saw a write that had not begun`)
  }
  return flaws
}
