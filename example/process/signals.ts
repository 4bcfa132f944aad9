const SIGNALS = ['SIGTERM', 'SIGINT'] as const

/** Stops at the first signal. Its handlers are gone by then, so a second signal does what signals do. */
export function onSignal (stop: () => void): void {
  const once = (): void => {
    for (const name of SIGNALS) process.off(name, once)
    stop()
  }
  for (const name of SIGNALS) process.on(name, once)
}

/** A signal to the whole process group is for the primary, which tells its workers to stop. */
export function leaveSignalsToPrimary (): void {
  for (const name of SIGNALS) process.on(name, () => {})
}
