const SIGNALS = ['SIGTERM', 'SIGINT'] as const

/** Stops at the first signal. The handlers are removed then, so that a second signal ends the process at once. */
export function onSignal (stop: () => void): void {
  const once = (): void => {
    for (const name of SIGNALS) process.off(name, once)
    stop()
  }
  for (const name of SIGNALS) process.on(name, once)
}

/** Ignores signals: one to the whole process group is for the primary, which tells its workers to stop. */
export function leaveSignalsToPrimary (): void {
  for (const name of SIGNALS) process.on(name, () => {})
}
