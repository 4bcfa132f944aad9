import type { RouteOptions } from 'fastify'

type HookName = 'onRequest' | 'preValidation' | 'preHandler' | 'preSerialization' | 'onSend'

/**
 * Adds a hook that runs after all other hooks of the route, also after those of plugins that are registered later: a
 * comparison must follow the authentication, and a tag depends on the final content-coding (decision 0002).
 *
 * Fastify reads the list when all plugins are loaded; until then plugins push to it or set another one. Each time the
 * list is read, our hook moves to its end. Instrumentation replaces each hook by a wrapper: in a list of the same
 * length, our hook is the one at its old index. The list is a copy: routes written with a shared array, and HEAD twins,
 * share theirs.
 */
export function addLast (route: RouteOptions, name: HookName, hook: (...args: never[]) => unknown): void {
  let ours: unknown = hook
  let list = [...toArray(route[name]), ours]
  Object.defineProperty(route, name, {
    enumerable: true,
    get () {
      const index = list.indexOf(ours)
      if (index !== -1) list.push(...list.splice(index, 1))
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
  if (Array.isArray(hooks)) return [...hooks]
  return hooks === undefined || hooks === null ? [] : [hooks]
}
