import './augment.js'

export { default, default as ifMatch } from './plugin.js'
export { errorCodes, isIfMatchError, type ErrorCode, type IfMatchError } from './errors.js'
export { formatEntityTag, type EntityTag } from './http/entity-tag.js'
export { uuid, wholeNumber } from './key/converters.js'
export { entityKey } from './key/entity-key.js'
export { keyPattern, type Converter, type KeyPattern } from './key/key-pattern.js'
export { problemDetails, type ProblemDetails, type ProblemDetailsOptions } from './problem-details.js'
export type { EntityDecorator, IfMatchTypes } from './augment.js'
export {
  OUTCOME_CHANNEL,
  type Outcome,
  type OutcomeMessage,
  type RefusedOutcome,
  type Strategy
} from './request/outcome.js'
export type { Committed, Current, Entity, Found, FoundText, Revision, Saved } from './request/entity.js'
export type { Compare } from './http/precondition.js'
export type { GlobalRoute, IfMatchOptions, IfMatchRouteOptions, Missing, RouteRequest } from './options.js'
export type {
  Expectation,
  ListingAdapter,
  ListOptions,
  Locked,
  Page,
  ReadOptions,
  Refused,
  RemoveExpectation,
  RemoveResult,
  StorageAdapter,
  Stored,
  TransactionAdapter,
  TransactionResult,
  Work,
  WriteOptions,
  WriteResult,
  Written
} from './storage/adapter.js'
