import type { RouteOptions } from 'fastify'

type HookName = 'onRequest' | 'preHandler' | 'preSerialization' | 'onSend'

/**
 * Adds a hook that runs after every other hook of the route, also after those that plugins registered later add: a
 * comparison must follow the authentication, and a tag must know the final content-coding. Fastify reads the list when
 * all plugins are loaded; until then they push to it or set another one, and ours moves to the end each time it is read.
 * A list of the same length is taken for one that wraps each hook: ours is where it was. The list is our own copy: routes
 * that were written with a shared array, and HEAD twins, share theirs.
 */
export function addLast (route: RouteOptions, name: HookName, hook: (...args: never[]) => unknown): void {
  let ours: unknown = hook
  let list = [...toArray(route[name]), ours]
  Object.defineProperty(route, name, {
    enumerable: true,
    get () {
      const at = list.indexOf(ours)
      if (at !== -1) list.push(...list.splice(at, 1))
      return list
    },
    set (value: unknown) {
      const next = toArray(value)
      if (next.length === list.length) ours = next[list.indexOf(ours)]
      else if (!next.includes(ours)) next.push(ours)
      list = next
    }
  })
}

function toArray (hooks: unknown): unknown[] {
  return Array.isArray(hooks) ? [...hooks] : hooks === undefined || hooks === null ? [] : [hooks]
}
