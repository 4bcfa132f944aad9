import { keyPattern, wholeNumber } from 'fastify-if-match'

// The largest id of an integer column. For a bigint one, wholeNumber by itself is right.
const { parse } = keyPattern('/offers/:id', { id: (text) => wholeNumber(text, 2 ** 31 - 1) })

/** The id of a key such as `/offers/5`, in a table whose ids are numbers. */
export const numberOf = (key: string): number => parse(key).id
