/**
 * How large an offer can become in the storage, in bytes of JSON: its draft, which is one document, and what it remembers
 * of its publications. Together they stay below a mebibyte, and two publications of the largest document, the one that is
 * live and the one that is on its way, always fit (docs/decisions/0007).
 */
export const MAX_DOCUMENT = 256 * 1024
export const MAX_HISTORY = 752 * 1024

/** How many bytes a value takes as JSON. */
export function sizeOf (value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value))
}
