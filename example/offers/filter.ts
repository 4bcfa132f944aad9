import { ApiError } from '../app/errors.js'

const FORM = /^\s*offerTypeId\s+eq\s+'((?:[^']|'')*)'\s*$/

/**
 * The type of offers that a `$filter` asks for: `offerTypeId eq '<type>'` (reading 14).
 *
 * @throws ApiError 400 for any other form
 */
export function offerTypeOf (filter: string): string {
  const quoted = FORM.exec(filter)?.[1]
  if (quoted === undefined) {
    throw new ApiError(400, 'BadRequest', "This server knows $filter in the form offerTypeId eq '<type>' alone.")
  }
  return quoted.replaceAll("''", "'") // OData doubles a quote inside a text
}
