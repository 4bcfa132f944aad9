/** A name in double quotes, as SQL takes it: it may hold any character, and be a keyword. */
export function quoteName (name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
