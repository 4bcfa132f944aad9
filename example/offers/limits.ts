/**
 * How large an offer can become in the storage, in bytes of JSON (decision 0007): its draft, which is one document, and
 * the publications that it remembers. Together they stay below a mebibyte. Two publications of the largest document,
 * the live one and the active one, always fit.
 */
export const MAX_DOCUMENT = 256 * 1024
export const MAX_HISTORY = 752 * 1024

/** How many bytes a value takes as JSON. */
export function sizeOf (value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value))
}
