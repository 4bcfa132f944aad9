import type { RouteOptions } from 'fastify'

type HookName = 'onRequest' | 'preHandler' | 'preSerialization' | 'onSend'

/**
 * Adds a hook that runs after every other hook of the route, also after those that plugins registered later add: a
 * comparison must follow the authentication, and a tag must know the final content-coding. Fastify reads the list when
 * all plugins are loaded; until then they replace it or push to it, and each time it is read ours moves to the end.
 * The list is our own copy: routes that were written with a shared array, and HEAD twins, share theirs.
 */
export function addLast (route: RouteOptions, name: HookName, hook: (...args: never[]) => unknown): void {
  let list = toArray(route[name])
  Object.defineProperty(route, name, {
    configurable: true,
    enumerable: true,
    get () {
      const at = list.indexOf(hook)
      if (at !== -1) list.splice(at, 1)
      list.push(hook)
      return list
    },
    set (value: unknown) {
      list = toArray(value)
    }
  })
}

function toArray (hooks: unknown): unknown[] {
  return Array.isArray(hooks) ? [...hooks] : hooks === undefined ? [] : [hooks]
}
