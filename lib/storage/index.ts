/**
 * For authors of storage adapters: the contract's types, and the functions that an adapter of any engine needs. The
 * errors that the contract names are in `errorCodes` of `fastify-if-match`. `storageByPattern` puts several adapters
 * behind one plugin.
 */
export type * from './adapter.js'
export { storageByPattern } from './by-pattern.js'
export { assertNoContext } from './kit/context.js'
export { satisfies } from './kit/expectation.js'
export { copyJson, jsonText } from './kit/json.js'
export { checkKey } from './kit/key.js'
export { pageLimit } from './kit/page.js'
export { newVersion } from './kit/version.js'
export { writeThenRead } from './kit/write-then-read.js'
