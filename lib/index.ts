import './augment.js'

export { default, default as ifMatch } from './plugin.js'
export { errorCodes, isIfMatchError, isRefusalError, type ErrorCode, type IfMatchError } from './errors.js'
export type {
  CurrentEntity,
  OwnWrite,
  RefusalError,
  RefusalErrorConstructor,
  RefusalFacts,
  RefusalField,
  RefusalReason
} from './refusal-error.js'
export { formatEntityTag, type EntityTag } from './http/entity-tag.js'
export { uuid, wholeNumber } from './key/converters.js'
export { entityKey } from './key/entity-key.js'
export { keyPattern, type Converter, type KeyPattern } from './key/key-pattern.js'
export {
  problemDetails,
  type ProblemDetails,
  type ProblemDetailsOptions,
  type ProblemType
} from './problem-details.js'
export { problemDetailsHandler, type ProblemDetailsHandlerOptions } from './problem-details-handler.js'
export type { EntityDecorator, IfMatchTypes } from './augment.js'
export {
  OUTCOME_CHANNEL,
  type Outcome,
  type OutcomeMessage,
  type RefusedOutcome,
  type Strategy
} from './request/outcome.js'
export type {
  Committed,
  Current,
  Entity,
  Found,
  FoundText,
  Revision,
  Saved,
  TransactionOptions
} from './request/entity.js'
export type { Compare } from './http/precondition.js'
export type { GlobalRoute, OnRefused, Representation, ResendOptions, RouteRequest } from './option-functions.js'
export type { IfMatchOptions, IfMatchRouteOptions, Missing } from './options.js'
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
