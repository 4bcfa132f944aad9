let ids = 0

/** An id that no other order of this process has. */
export function nextId (): number {
  return ++ids
}
