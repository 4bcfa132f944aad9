import { InvalidOptionsError } from '../errors.js'
import { methodKind } from '../http/method.js'
import type { GlobalRoute } from '../option-functions.js'
import type { IfMatchOptions } from '../options.js'
import { kindOf } from '../storage/kit/flaws.js'

/** Whether the option `global` guards a route of a state-changing method. */
export type Global = (route: GlobalRoute) => boolean

/**
 * Makes a function of the option `global`, whatever its form.
 *
 * @param supported the methods that the server routes
 * @throws FST_IF_MATCH_INVALID_OPTIONS for a list that names another method than the state-changing ones of the server
 */
export function compileGlobal (option: IfMatchOptions['global'], supported: readonly string[]): Global {
  if (typeof option === 'function') return (route) => asked(option, route)
  if (typeof option !== 'object') return () => option === true
  const allowed = supported.filter((method) => methodKind(method) === 'write')
  const methods = option.map((method) => String(method).toUpperCase())
  const wrong = methods.find((method) => !allowed.includes(method))
  if (methods.length > 0 && wrong === undefined) return ({ method }) => methods.includes(method)
  throw new InvalidOptionsError(
    'the plugin',
    `"global" must list methods that change state, and ${wrong === undefined ? 'is empty' : `has "${wrong}"`}. ` +
      `This server has ${allowed.join(', ')}; add others with addHttpMethod() first. ` +
      'Methods that read are guarded by config: { ifMatch: true } on their routes.'
  )
}

function asked (global: Global, route: GlobalRoute): boolean {
  const answer: unknown = global(route)
  if (typeof answer === 'boolean') return answer
  Promise.resolve(answer).catch(() => {}) // an async function is refused, so its rejection is handled
  throw new InvalidOptionsError(
    `${route.method} ${route.url}`,
    `the function "global" must return true or false, and returned ${kindOf(answer)}.`
  )
}
