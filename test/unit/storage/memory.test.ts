import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { conformanceSuite } from 'fastify-if-match/conformance'
import { StorageUnavailableError } from '../../../lib/errors.js'
import { memoryAdapter } from '../../../lib/storage/memory.js'
import { ABSENT, ANY, EXISTS } from '../../support/expectations.js'

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

// Without `around`, which takes another way through the code.
await conformanceSuite({
  test: (title, run) => t.test(`bare ${title}`, run),
  createAdapter: async () => ({ adapter: memoryAdapter() }),
  another: false,
  faults: false
})

await t.test('memory: around is told the operation and its key', async (t) => {
  const told: string[] = []
  const adapter = memoryAdapter({
    around (step, operation, key) {
      told.push(`${operation} ${key}`)
      return step()
    }
  })
  await adapter.write('notes/a', 1, ANY)
  await adapter.read('notes/a')
  await adapter.list!('notes/')
  await adapter.remove('notes/a', EXISTS)
  t.same(told, ['write notes/a', 'read notes/a', 'list notes/', 'remove notes/a'])
})

await t.test('memory: an around that waits before the step makes a storage that begins late, and is still atomic', async (t) => {
  const adapter = memoryAdapter({
    async around (step) {
      await turn()
      return step()
    }
  })
  const writing = adapter.write('k', 1, ABSENT)
  const early = adapter.write('k', 2, ABSENT)
  t.match(await writing, { applied: true })
  t.match(await early, { applied: false, current: { value: 1 } })
})

await t.test('memory: an around that waits after the step makes a storage that answers late, with the state at the step', async (t) => {
  let release = () => {}
  const held = new Promise<void>((resolve) => { release = resolve })
  const adapter = memoryAdapter({
    async around (step, operation) {
      const result = step()
      if (operation === 'read') await held
      return result
    }
  })
  const reading = adapter.read('k')
  await adapter.write('k', 1, ANY)
  release()
  t.equal(await reading, undefined)
})

await t.test('memory: an around that throws before the step makes a storage that fails, and nothing is changed', async (t) => {
  let isDown = false
  const adapter = memoryAdapter({
    around (step) {
      if (isDown) throw new StorageUnavailableError()
      return step()
    }
  })
  isDown = true
  await t.rejects(adapter.write('k', 1, ANY), { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE' })
  isDown = false
  t.equal(await adapter.read('k'), undefined)
})

await t.test('memory: a signal that aborts while around waits stops the step, which did not begin', async (t) => {
  const adapter = memoryAdapter({
    async around (step) {
      await turn()
      return step()
    }
  })
  const controller = new AbortController()
  const writing = adapter.write('k', 1, ANY, { signal: controller.signal })
  controller.abort()
  await t.rejects(writing, { name: 'AbortError' })
  t.equal(await adapter.read('k'), undefined)
})

await t.test('memory: every adapter has a store of its own', async (t) => {
  const [one, two] = [memoryAdapter(), memoryAdapter()]
  await one.write('k', 1, ANY)
  t.equal(await two.read('k'), undefined)
})

await t.test('memory: wrong options are refused', async (t) => {
  const wrong: Array<[options: unknown, message: RegExp]> = [
    [{ around: 'x' }, /"around" must be a function/],
    [{ arround: () => {} }, /no option "arround"\. Did you mean "around"/]
  ]
  for (const [options, message] of wrong) {
    t.throws(() => memoryAdapter(options as never), { code: 'FST_IF_MATCH_INVALID_OPTIONS', message })
  }
})
