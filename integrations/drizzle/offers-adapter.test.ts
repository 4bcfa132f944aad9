import { PGlite } from '@electric-sql/pglite'
import { drizzle } from 'drizzle-orm/pglite'
import t from 'tap'
import { conformanceSuite } from 'fastify-if-match/conformance'
import { anything } from '../anything.js'
import { offersAdapter } from './offers-adapter.js'
import { schema } from './schema.js'

const database = await PGlite.create()
await database.exec(schema)
let stores = 0

await conformanceSuite({
  test: (title, run) => t.test(title, run),
  list: false,
  async createAdapter () {
    // All cases share one engine, because to start one takes longer than they do. Each store has ids of its own.
    const store = `${++stores}:`
    const mapping = { ...anything, toId: (key: string) => store + anything.toId(key) }
    let isCut = false
    const client = new Proxy(database, {
      get (target, name) {
        if (name === 'query' && isCut) return async () => { throw new Error('the connection is lost') }
        const member: unknown = Reflect.get(target, name, target)
        return typeof member === 'function' ? member.bind(target) : member
      }
    })
    return {
      adapter: offersAdapter(drizzle({ client }), mapping),
      another: async () => offersAdapter(drizzle({ client }), mapping),
      async cut () {
        isCut = true
        return async () => { isCut = false }
      },
      async close () {}
    }
  }
})

await database.close()
