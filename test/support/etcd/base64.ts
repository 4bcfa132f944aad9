/** A key or a value as the gateway writes it. */
export function base64 (text: string): string {
  return Buffer.from(text).toString('base64')
}
