/** What was measured at one size, such as the cost of a call among this many entities. */
export type Point = readonly [size: number, cost: number]

/**
 * The exponent of growth: the slope of the straight line that fits the logarithms best, by least squares. 0 is a cost
 * that does not grow, 1 one that grows as the size does. It needs two sizes at least.
 */
export function exponentOf (points: readonly Point[]): number {
  const logarithms = points.map(([size, cost]) => [Math.log(size), Math.log(cost)] as const)
  return slopeOf(logarithms)
}

/** The slope of the straight line that fits these points best. */
export function slopeOf (points: readonly Point[]): number {
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / points.length
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / points.length
  const along = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0)
  return points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0) / along
}
