import { ApiError } from '../app/errors.js'

const FORM = /^\s*offerTypeId\s+eq\s+'((?:[^']|'')*)'\s*$/

/**
 * The offer type that a `$filter` asks for, in the one form that is known: `offerTypeId eq '<type>'` (CPP §6).
 *
 * @throws ApiError 400
 */
export function offerTypeOf (filter: string): string {
  const quoted = FORM.exec(filter)?.[1]
  if (quoted === undefined) { throw new ApiError(400, 'BadRequest', "This server knows $filter in the form offerTypeId eq '<type>' alone.") }
  return quoted.replaceAll("''", "'") // as OData doubles a quote inside a text
}
