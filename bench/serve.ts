/**
 * Says where a server listens, tells its CPU time and its memory when it is asked, and ends with its parent.
 *
 * @param cpu undefined: that of this process; null: the server is another process
 */
export function serve (url: string, close: () => unknown, cpu?: null): void {
  process.on('message', (question) => {
    if (question === 'cpu') process.send!(cpu === null ? null : process.cpuUsage())
    if (question === 'memory') {
      globalThis.gc?.()
      process.send!(process.memoryUsage())
    }
  })
  process.on('disconnect', () => { void close() })
  process.send!(url)
}
