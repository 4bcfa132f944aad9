import type { RouteOptions } from 'fastify'

type HookName = 'onRequest' | 'preValidation' | 'preHandler' | 'preSerialization' | 'onSend'
type Hook = (...args: never[]) => unknown

/** All hooks that were added last: a copy of a route does not bring along those of the original. */
const ours = new WeakSet<object>()

/**
 * Adds a hook that runs after all other hooks of the route, also after those of plugins that are registered later: a
 * comparison must follow the authentication, and a tag depends on the final content-coding (decision 0002).
 *
 * Until all plugins are loaded, others read the list, change it in place, and set another one. They see their own hooks
 * alone, so they can neither lose, wrap nor move ours. Fastify then concatenates the list with the hooks of the
 * instance, and JavaScript asks an array that is concatenated whether it is to be spread: our hook joins it there. If
 * Fastify ever read the list in another way, no handler of a guarded route would be entered (`onlyEntered`).
 */
export function addLast (route: RouteOptions, name: HookName, hook: Hook): void {
  let list = endingWith(hook, route[name])
  ours.add(hook)
  Object.defineProperty(route, name, {
    configurable: false, // stated, since a list that the route had could be deleted otherwise, and ours with it
    enumerable: true,
    get: () => list,
    set (value: unknown) { list = endingWith(hook, value) }
  })
}

/** Adds a hook that runs ahead of the hooks that the route has. */
export function addFirst (route: RouteOptions, name: HookName, hook: Hook): void {
  Object.assign(route, { [name]: [hook, ...toArray(route[name])] })
}

// A copy: routes that were written with a shared array, and HEAD twins, share theirs.
function endingWith (hook: Hook, hooks: unknown): unknown[] {
  const list = toArray(hooks).filter((other) => !ours.has(other as object))
  return Object.defineProperty(list, Symbol.isConcatSpreadable, {
    get () {
      const index = list.indexOf(hook)
      if (index !== -1) list.splice(index, 1)
      list.push(hook)
      return true
    }
  })
}

function toArray (hooks: unknown): unknown[] {
  if (Array.isArray(hooks)) return [...hooks]
  return hooks === undefined || hooks === null ? [] : [hooks]
}
