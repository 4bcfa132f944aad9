/** The codes of the warnings of this package that an opening emits. */
export async function warningsOf (open: () => Promise<unknown>): Promise<string[]> {
  const codes: string[] = []
  const note = (warning: Error): void => { codes.push((warning as { code?: string }).code ?? '') }
  process.on('warning', note)
  await open()
  // Warnings are emitted in the next turn.
  await new Promise(setImmediate)
  process.off('warning', note)
  return codes.filter((code) => code.startsWith('FST_IF_MATCH'))
}
