import t from 'tap'
import { errorCodes } from 'fastify-if-match'
import type { ListingAdapter, ListOptions, StorageAdapter, WriteOptions } from 'fastify-if-match'
import { memoryAdapter, type MemoryAdapterOptions } from 'fastify-if-match/storage/memory'
import { clockedStorage } from '../../../example/storage/clocked-storage.js'
import { ABSENT, ANY, EXISTS, versionIn } from '../../support/expectations.js'

const { FST_IF_MATCH_OUTCOME_UNKNOWN: OutcomeUnknown, FST_IF_MATCH_STORAGE_UNAVAILABLE: Unavailable } = errorCodes

interface Egg { hatchesAt: number, is: 'egg' | 'bird', note?: string }
const EGG: Egg = { hatchesAt: 10, is: 'egg' }
const BIRD: Egg = { hatchesAt: 10, is: 'bird' }

type Around = NonNullable<MemoryAdapterOptions['around']>

/**
 * A nest in memory with an egg at `k`, which hatches at 10. Its clock is at 10. `engine` is the storage below, as a
 * process without a clock would see it.
 */
async function nest () {
  const clock = { now: 10 }
  const hooks: { around: Around } = { around: (step) => step() }
  const calls: string[] = []
  const engine = memoryAdapter<Egg>({
    around (step, operation, key) {
      calls.push(`${operation} ${key}`)
      return hooks.around(step, operation, key)
    }
  })
  const hatched = (egg: Egg): Egg => egg.is === 'egg' && clock.now >= egg.hatchesAt ? { ...egg, is: 'bird' } : egg
  const newAdapter = () => clockedStorage(engine, hatched)
  const laid = await engine.write('k', EGG, ANY)
  if (!laid.applied) throw new Error('not laid')
  calls.length = 0
  return { clock, hooks, calls, engine, newAdapter, adapter: newAdapter(), laid: laid.version }
}

/** Waits until so many have arrived. */
function barrier (parties: number): () => Promise<void> {
  let open: () => void
  const all = new Promise<void>((resolve) => { open = resolve })
  return async () => {
    if (--parties === 0) open()
    await all
  }
}

await t.test('read: a transition that is due is applied first, and content and tag change together (RFC 9110 8.8.1)', async (t) => {
  const { adapter, engine, clock, laid } = await nest()
  clock.now = 9
  t.strictSame({ ...await adapter.read('k') }, { value: EGG, version: laid, replaced: undefined, digest: undefined })
  clock.now = 10
  const stored = await adapter.read('k')
  t.strictSame({ value: stored?.value, replaced: stored?.replaced }, { value: BIRD, replaced: laid })
  t.not(stored?.version, laid)
  t.match(await engine.read('k'), stored, 'it is stored, not only shown')
  t.match(await adapter.read('k'), stored, 'it is applied once only')
})

await t.test('read: without a transition that is due nothing is written, and nothing is asked twice', async (t) => {
  const { adapter, calls, clock } = await nest()
  clock.now = 9
  await adapter.read('k')
  await adapter.read('absent')
  await adapter.list('')
  t.strictSame(calls, ['read k', 'read absent', 'list '])
})

await t.test('list: transitions that are due are applied to the items of the page, and to no others', async (t) => {
  const { adapter, engine, calls } = await nest()
  await engine.write('early', { ...EGG, hatchesAt: 11 }, ANY)
  await engine.write('l', { ...EGG, note: 'second' }, ANY)
  calls.length = 0
  const page = await adapter.list('', { limit: 2 })
  t.strictSame(page.items.map(({ key, value }) => [key, value]), [['early', { ...EGG, hatchesAt: 11 }], ['k', BIRD]])
  t.equal(page.next, 'k')
  t.strictSame(calls, ['list ', 'write k'])
  for (const { key, ...stored } of page.items) t.match(await engine.read(key), stored)
  t.strictSame(
    (await adapter.list('', { after: page.next })).items.map(({ key, value }) => [key, value]),
    [['l', { ...BIRD, note: 'second' }]]
  )
})

await t.test('list: an item that was removed meanwhile is left out, and the rest of the page stays', async (t) => {
  const { adapter, engine, hooks } = await nest()
  await engine.write('l', EGG, ANY)
  hooks.around = async (step, operation, key) => {
    if (operation === 'write' && key === 'k') await engine.remove('k', EXISTS)
    return step()
  }
  const page = await adapter.list('')
  t.strictSame(page.items.map(({ key, value }) => [key, value]), [['l', BIRD]])
  t.equal(page.next, undefined)
})

await t.test('write: a tag from before a transition that is due is refused, with the entity as it is by now', async (t) => {
  const { adapter, engine, laid } = await nest()
  const result = await adapter.write('k', { ...EGG, note: 'stale' }, versionIn(laid))
  t.match(result, { applied: false, current: { value: BIRD, replaced: laid } })
  t.match(await engine.read('k'), { value: BIRD })
})

await t.test('remove: a tag from before a transition that is due is refused, with the entity as it is by now', async (t) => {
  const { adapter, engine, laid } = await nest()
  t.match(await adapter.remove('k', versionIn(laid)), {
    applied: false,
    current: { value: BIRD, replaced: laid }
  })
  const { version } = (await engine.read('k'))!
  t.strictSame(await adapter.remove('k', versionIn(version)), { applied: true })
  t.equal(await engine.read('k'), undefined)
})

await t.test('write and remove without a tag: the clock writes first', async (t) => {
  for (const expectation of [ANY, EXISTS]) {
    const { adapter, engine, laid, calls } = await nest()
    t.match(await adapter.write('k', { ...BIRD, note: 'mine' }, expectation), { applied: true, created: false })
    t.strictSame(calls, ['read k', 'write k', 'write k'])
    const stored = await engine.read('k')
    t.strictSame(stored?.value, { ...BIRD, note: 'mine' })
    t.not(stored?.replaced, laid)
  }
  const { adapter, calls } = await nest()
  t.strictSame(await adapter.remove('k', EXISTS), { applied: true })
  t.strictSame(calls, ['read k', 'write k', 'remove k'])
})

await t.test('a refusal: a transition that came due during the write is applied to its current entity as well', async (t) => {
  const other = versionIn('other')
  const refusals: Array<(adapter: ListingAdapter<Egg>) => Promise<unknown>> = [
    async (adapter) => await adapter.write('k', EGG, other),
    async (adapter) => await adapter.write('k', EGG, ABSENT),
    async (adapter) => await adapter.remove('k', other)
  ]
  for (const refusal of refusals) {
    const { adapter, clock, engine, hooks, laid } = await nest()
    clock.now = 9
    hooks.around = (step, operation) => {
      if (operation !== 'read') clock.now = 10
      return step()
    }
    t.match(await refusal(adapter), { applied: false, current: { value: BIRD, replaced: laid } })
    t.match(await engine.read('k'), { value: BIRD })
  }
})

await t.test('a write that would now be applied is tried again: the entity in its way was removed while it was settled', async (t) => {
  const { adapter, clock, engine, hooks } = await nest()
  clock.now = 9
  hooks.around = async (step, operation) => {
    if (operation !== 'write') return step()
    clock.now = 10
    hooks.around = async (settling) => {
      hooks.around = (step) => step()
      await engine.remove('k', EXISTS)
      return settling()
    }
    return step()
  }
  const mine = { ...BIRD, note: 'mine' }
  t.match(await adapter.write('k', mine, ABSENT), { applied: true, created: true })
  t.match(await engine.read('k'), { value: mine })
})

await t.test('two adapters find the same transition due: one is written, and both show it', async (t) => {
  const finders: Array<(adapter: ListingAdapter<Egg>) => Promise<unknown>> = [
    async (adapter) => await adapter.read('k'),
    async (adapter) => (await adapter.list('k')).items[0]
  ]
  for (const find of finders) {
    const { newAdapter, engine, hooks, laid } = await nest()
    const both = barrier(2)
    const written = new Set<string>()
    hooks.around = async (step, operation) => {
      if (operation === 'write') await both()
      const result = step()
      if (operation === 'write') {
        const { applied, version } = result as { applied: boolean, version?: string }
        if (applied) written.add(version!)
      }
      return result
    }
    const [one, two] = await Promise.all([find(newAdapter()), find(newAdapter())])
    const { version } = (await engine.read('k'))!
    t.strictSame([...written], [version])
    for (const found of [one, two]) t.match(found, { value: BIRD, version, replaced: laid })
  }
})

await t.test('a writer under the old tag against the clock: exactly one of them is applied, and the other sees its result', async (t) => {
  for (const first of ['writer', 'clock'] as const) {
    const { newAdapter, clock, engine, hooks, laid } = await nest()
    clock.now = 9
    let release!: () => void
    const held = new Promise<void>((resolve) => { release = resolve })
    let arrive!: () => void
    const arrival = new Promise<void>((resolve) => { arrive = resolve })
    let writes = 0
    // The first write waits until the second is done. Nothing was due when its writer looked.
    hooks.around = async (step, operation) => {
      if (operation === 'write' && ++writes === 1) {
        arrive()
        await held
      }
      return step()
    }
    const mine = { ...EGG, note: 'mine' }
    const write = async () => await newAdapter().write('k', mine, versionIn(laid))
    const read = async () => await newAdapter().read('k')
    const seen = new Map<string, string>()
    if (first === 'clock') {
      const writing = write()
      await arrival
      clock.now = 10
      const stored = await read()
      release()
      t.match(stored, { value: BIRD, replaced: laid })
      t.match(await writing, { applied: false, current: stored })
      seen.set(stored!.version, JSON.stringify(stored!.value))
    } else {
      clock.now = 10
      const reading = read()
      await arrival
      clock.now = 9
      const result = await write()
      clock.now = 10
      release()
      t.match(result, { applied: true })
      const stored = await reading
      t.strictSame(stored?.value, { ...BIRD, note: 'mine' }, 'the clock applies the transition to the new value')
      t.match(stored, { replaced: (result as { version: string }).version })
    }
    const end = await engine.read('k')
    t.strictSame(end?.value, first === 'clock' ? BIRD : { ...BIRD, note: 'mine' })
    for (const [version, content] of seen) t.strictSame([end?.version, JSON.stringify(end?.value)], [version, content])
  }
})

await t.test('an outage during a transition is an error: never an absence, a stale value or a success', async (t) => {
  const asked: Record<string, (adapter: ListingAdapter<Egg>) => Promise<unknown>> = {
    read: async (adapter) => await adapter.read('k'),
    list: async (adapter) => await adapter.list(''),
    write: async (adapter) => await adapter.write('k', { ...EGG, note: 'mine' }, ANY),
    remove: async (adapter) => await adapter.remove('k', EXISTS)
  }
  for (const [name, ask] of Object.entries(asked)) {
    const { adapter, calls, engine, hooks, laid } = await nest()
    hooks.around = (step, operation) => {
      if (operation === 'write') throw new Unavailable()
      return step()
    }
    await t.rejects(ask(adapter), { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE' }, name)
    t.strictSame(calls.slice(1), ['write k'], `${name}: the operation itself was not sent`)
    t.match(await engine.read('k'), { value: EGG, version: laid })
    hooks.around = (step) => step()
    t.match((await adapter.read('k'))?.value, BIRD, `${name}: afterwards the transition is applied`)
  }
})

await t.test('a transition whose outcome is unknown: the operation was certainly not carried out, and the error says so', async (t) => {
  const { adapter, engine, hooks } = await nest()
  const answerLost: Around = async (step, operation) => {
    const result = await step()
    if (operation === 'write') throw new OutcomeUnknown()
    return result
  }
  hooks.around = answerLost
  await t.rejects(adapter.write('k', { ...EGG, note: 'mine' }, ANY), {
    code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE',
    cause: { code: 'FST_IF_MATCH_OUTCOME_UNKNOWN' }
  })
  t.match((await engine.read('k'))?.value, BIRD, 'the transition was applied, the write was not')
  await t.rejects(
    adapter.write('k', { ...EGG, note: 'mine' }, ANY),
    { code: 'FST_IF_MATCH_OUTCOME_UNKNOWN' },
    'an unknown outcome of the write itself stays unknown'
  )
})

/** A nest over an engine that notes the options it is given. */
async function overheard () {
  const { engine, ...others } = await nest()
  const given: Array<[string, WriteOptions | undefined]> = []
  // The adapter in memory takes no context. A copy would look at the signal.
  const outside = (options: (WriteOptions & ListOptions) | undefined) => ({
    digest: options?.digest,
    after: options?.after,
    limit: options?.limit,
    get signal () { return options?.signal },
    ...options?.isOver !== undefined && { isOver: () => options.isOver!() }
  })
  const spied: ListingAdapter<Egg> = {
    async read (key, options) {
      given.push(['read', options])
      return await engine.read(key, outside(options))
    },
    async write (key, value, expectation, options) {
      given.push(['write', options])
      return await engine.write(key, value, expectation, outside(options))
    },
    async remove (key, expectation, options) {
      given.push(['remove', options])
      return await engine.remove(key, expectation, outside(options))
    },
    async list (prefix, options) {
      given.push(['list', options])
      return await engine.list(prefix, outside(options))
    }
  }
  const adapter = clockedStorage(spied, (egg) => egg.is === 'egg' ? { ...egg, is: 'bird' as const } : egg)
  return { ...others, engine, given, adapter }
}

/** Options as the plugin makes them: an object of a class, whose signal is made when it is first looked at. */
class LazyOptions implements WriteOptions {
  readonly context = { client: 'own' }
  readonly digest: string | undefined
  #signal: AbortSignal | undefined
  #isOver = false

  constructor (digest?: string) {
    this.digest = digest
  }

  get isSignalMade (): boolean { return this.#signal !== undefined }
  get signal (): AbortSignal {
    this.#signal ??= new AbortController().signal
    return this.#signal
  }

  isOver (): boolean { return this.#isOver }
  end (): void { this.#isOver = true }
}

await t.test('every step of an operation is given the options of its request: the same object, whose signal nobody has made', async (t) => {
  const asked: Record<string, (adapter: ListingAdapter<Egg>, options: WriteOptions) => Promise<unknown>> = {
    read: async (adapter, options) => await adapter.read('k', options),
    list: async (adapter, options) => await adapter.list('', options),
    write: async (adapter, options) => await adapter.write('k', EGG, EXISTS, options),
    remove: async (adapter, options) => await adapter.remove('k', EXISTS, options)
  }
  for (const [name, ask] of Object.entries(asked)) {
    const options = new LazyOptions()
    const { adapter, given } = await overheard()
    await ask(adapter, options)
    t.ok(given.some(([operation]) => operation === 'write'), name)
    for (const [operation, own] of given) t.ok(own === options, `${name}: ${operation}`)
    // The memory adapter looks at isOver alone, so nothing here has made it.
    t.notOk(options.isSignalMade, name)
  }
})

await t.test('what has come due shows in a read that needs no value, too: its version is that of the new value', async (t) => {
  const { adapter } = await overheard()
  const stored = await adapter.read('k', { unless: '*' })
  t.match(await adapter.read('k'), { version: stored!.version, replaced: stored!.replaced })
  t.notOk(stored!.replaced === undefined, 'the clock has written')
})

await t.test('without any options none are passed on', async (t) => {
  const { adapter, given } = await overheard()
  await adapter.write('k', EGG, EXISTS)
  t.strictSame(given, [['read', undefined], ['write', undefined], ['write', undefined]])
})

await t.test('a write with a digest: its transition is given all but that, and its signal is made when it is looked at', async (t) => {
  const options = new LazyOptions('of mine')
  const { adapter, given } = await overheard()
  await adapter.write('k', EGG, EXISTS, options)
  t.strictSame(given.map(([operation, own]) => [operation, own === options]), [
    ['read', true],
    ['write', false],
    ['write', true]
  ])
  const transition = given[1]![1]!
  t.strictSame([transition.digest, transition.isOver?.()], [undefined, false])
  t.equal(transition.context, options.context)
  t.notOk(options.isSignalMade)
  t.equal(transition.signal, options.signal)
  options.end()
  t.equal(transition.isOver?.(), true)
  given.length = 0
  await adapter.write('k', EGG, EXISTS, { digest: 'of mine' })
  t.notOk('isOver' in given[1]![1]!, 'where it is missing, the signal is asked')
})

await t.test('a request that is over sends no transition', async (t) => {
  const { adapter, engine, hooks, laid } = await nest()
  const controller = new AbortController()
  hooks.around = (step, operation) => {
    if (operation === 'write') controller.abort()
    return step()
  }
  await t.rejects(adapter.read('k', { signal: controller.signal }), { name: 'AbortError' })
  t.match(await engine.read('k'), { value: EGG, version: laid })
})

await t.test('the digest of a write is stored with that write, not with the transition before it', async (t) => {
  const { adapter, engine, laid } = await nest()
  const mine = { ...EGG, note: 'mine' }
  const result = await adapter.write('k', mine, versionIn(laid), { digest: 'of mine' })
  t.match(result, { applied: false, current: { value: BIRD, replaced: laid } })
  t.strictSame((await engine.read('k'))?.digest, undefined, 'a retry would take the transition for its own write')
  t.match(await adapter.write('k', BIRD, EXISTS, { digest: 'of mine' }), { applied: true })
  t.equal((await adapter.read('k'))?.digest, 'of mine')
})

await t.test('open and close are those of the storage, also if that is a class', async (t) => {
  class Engine implements StorageAdapter<Egg> {
    readonly calls: string[] = []
    readonly #engine = memoryAdapter<Egg>()
    read: StorageAdapter<Egg>['read'] = async (...args) => await this.#engine.read(...args)
    write: StorageAdapter<Egg>['write'] = async (...args) => await this.#engine.write(...args)
    remove: StorageAdapter<Egg>['remove'] = async (...args) => await this.#engine.remove(...args)
    list: ListingAdapter<Egg>['list'] = async (...args) => await this.#engine.list(...args)
    async open () { this.calls.push('open') }
    async close () { this.calls.push('close') }
  }
  const engine = new Engine()
  const adapter = clockedStorage(engine, (egg) => egg)
  await adapter.open?.()
  await adapter.close?.()
  t.strictSame(engine.calls, ['open', 'close'])
  const bare = clockedStorage(memoryAdapter<Egg>(), (egg) => egg)
  await bare.open?.()
  await bare.close?.()
})
