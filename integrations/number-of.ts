import { errorCodes } from 'fastify-if-match'

const LARGEST = 2 ** 31 - 1 // of an integer column; of a bigint one, Number.MAX_SAFE_INTEGER

/** The id of a key such as `/offers/5`, in a table whose ids are numbers. `007`, `5.0` and `+5` are no ids. */
export function numberOf (key: string): number {
  const id = Number(/^\/offers\/([1-9]\d*)$/.exec(key)?.[1])
  if (id <= LARGEST) return id
  throw new errorCodes.FST_IF_MATCH_INVALID_KEY('is not that of an offer')
}
