const TICKS_IN_MS = 10_000n
const TICKS_BEFORE_1970 = 621_355_968_000_000_000n

/** A time, given in milliseconds since 1970, as the API writes it: with seven fractional digits (reading 31). */
export function timestamp (ms: number): string {
  return new Date(ms).toISOString().replace('Z', '0000Z')
}

/** The same in ticks of 100 nanoseconds since the year 1, more than a JavaScript number can hold (reading 26). */
export function ticks (ms: number): bigint {
  return BigInt(ms) * TICKS_IN_MS + TICKS_BEFORE_1970
}
