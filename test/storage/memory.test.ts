import t from 'tap'
import { conformanceSuite } from 'fastify-if-match/conformance'
import { StorageUnavailableError } from '../../lib/errors.js'
import { memoryAdapter } from '../../lib/storage/memory.js'

await conformanceSuite({
  test: (title, run) => t.test(title, run),
  async createAdapter () {
    let isCut = false
    const adapter = memoryAdapter({
      around (step) {
        if (isCut) throw new StorageUnavailableError()
        return step()
      }
    })
    return {
      adapter,
      async cut () {
        isCut = true
        return async () => { isCut = false }
      }
    }
  },
  another: false
})
