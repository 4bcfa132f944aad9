import type { FastifyRequest } from 'fastify'
import { addressOf, optionAnswer } from './option-answer.js'
import { InvalidOptionsError } from '../errors.js'
import type { Missing } from '../options.js'
import type { Settings } from '../settings.js'
import { kindOf } from '../storage/kit/flaws.js'

const ANSWERS: readonly unknown[] = [400, 428, 'allow', 'warn'] satisfies Missing[]

/**
 * What the option `missing` says of a request that names no strategy.
 *
 * @throws FST_IF_MATCH_INVALID_OPTIONS if its function throws, or returns something else: such a request does not pass
 */
export function missingOf (option: Settings['missing'], request: FastifyRequest): Missing {
  if (typeof option !== 'function') return option
  const answer = optionAnswer('the function "missing"', option, request)
  if (ANSWERS.includes(answer)) return answer as Missing
  throw new InvalidOptionsError(
    addressOf(request),
    `the function "missing" must return 400, 428, "allow" or "warn", and returned ${kindOf(answer)}. It cannot wait: ` +
      'look up in a hook what it needs, and note that on the request.'
  )
}

/**
 * Logs a request that `missing: 'warn'` lets through, with the code that it would be refused with. The line has the id
 * of the request, and neither a key nor a value.
 */
export function warnOfMissing ({ log, method, routeOptions: { url } }: FastifyRequest): void {
  log.warn(
    { code: 'FST_IF_MATCH_REQUIRED', method, route: url },
    `${method} ${url} came without If-Match, and was let through: the last write wins.`
  )
}
