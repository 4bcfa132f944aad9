const FIRST = 50
const LONGEST = 1000

/** How long to wait before the next try to connect: longer each time, up to a second, and never the same for all (in milliseconds). */
export function pause (attempt: number): number {
  return Math.min(FIRST * 2 ** attempt, LONGEST) * (0.5 + Math.random() / 2)
}
