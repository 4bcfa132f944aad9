import './augment.js'

export { default, default as ifMatch } from './plugin.js'
export { errorCodes, isIfMatchError, type ErrorCode } from './errors.js'
export { problemDetails, type ProblemDetails, type ProblemDetailsOptions } from './problem-details.js'
export type { Entity, Found, Revision, Saved } from './request/entity.js'
export type { EntityTag } from './http/entity-tag.js'
export type { Compare } from './http/precondition.js'
export type { IfMatchOptions, IfMatchRouteOptions } from './options.js'
export type {
  Expectation,
  ListingAdapter,
  ListOptions,
  Page,
  ReadOptions,
  Refused,
  RemoveExpectation,
  RemoveResult,
  StorageAdapter,
  Stored,
  WriteOptions,
  WriteResult
} from './storage/adapter.js'
