import type { Test } from 'tap'

/** Lets no timer take any time, and gives how long each would have been, in milliseconds, for this share of a pause. */
export function pauses (t: Test, share = 1): number[] {
  const waited: number[] = []
  const { setTimeout } = globalThis
  t.intercept(Math, 'random', { value: () => share })
  t.intercept(globalThis, 'setTimeout', {
    value: (then: () => void, milliseconds: number) => {
      waited.push(milliseconds)
      return setTimeout(then, 0)
    }
  })
  return waited
}
