/** A point that one part of a test waits for until another part opens it, with a value if need be. */
export interface Barrier<T> {
  opened: Promise<T>
  open: (value: T) => void
}

export function barrier<T = void> (): Barrier<T> {
  let open!: (value: T) => void
  const opened = new Promise<T>((resolve) => { open = resolve })
  return { opened, open }
}
