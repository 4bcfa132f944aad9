/** A name as SQL has it: in double quotes, so that it may hold any character and be any word. */
export function quoteName (name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
