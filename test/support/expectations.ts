// The expectations of a write, as tests pass them to an adapter.

export const ANY = { kind: 'any' } as const
export const EXISTS = { kind: 'exists' } as const
export const ABSENT = { kind: 'absent' } as const

export function versionIn (...versions: string[]) {
  return { kind: 'version', versions } as const
}
