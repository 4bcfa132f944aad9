/**
 * Whether a client takes a content-coding, by its `Accept-Encoding` (RFC 9110 12.5.3): the field lists the coding, or
 * else `*`, with a weight above zero. Without the field any coding would do, but no compressor uses one then.
 */
export function acceptsCoding (field: string | undefined, coding: string): boolean {
  const members = field?.toLowerCase().split(',').map((member) => member.split(';').map((part) => part.trim())) ?? []
  const listed = members.find(([name]) => name === coding) ?? members.find(([name]) => name === '*')
  if (listed === undefined) return false
  const weight = listed.find((parameter) => parameter.startsWith('q='))
  return weight === undefined || Number(weight.slice(2)) > 0
}
