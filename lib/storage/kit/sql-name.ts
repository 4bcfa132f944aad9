/** A name in double quotes, as standard SQL takes it (MySQL does not): it may hold any character, and be a keyword. */
export function quoteName (name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
