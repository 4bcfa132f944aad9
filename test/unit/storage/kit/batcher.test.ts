import { mock } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { Batcher, type BatcherOptions } from '../../../../lib/storage/kit/batcher.js'

interface Batch { items: readonly string[], end: (failing?: readonly string[]) => void, fail: (error: Error) => void }

/** A batcher whose batches end when the test says so. */
function held (options: Partial<BatcherOptions<string, string>> = {}) {
  const batches: Batch[] = []
  const batcher = new Batcher<string, string>({
    size: 64,
    ...options,
    run: (items) => new Promise((resolve, reject) => {
      batches.push({
        items,
        end: (failing = []) => resolve(items.map((item) => failing.includes(item)
          ? { status: 'rejected', reason: new Error(`bad ${item}`) }
          : { status: 'fulfilled', value: `did ${item}` })),
        fail: reject
      })
    })
  })
  return { batcher, batches }
}

await t.test('batcher: items that arrive in one turn are one batch, in their order; a lone item is sent at the end of its turn', async (t) => {
  const { batcher, batches } = held()
  const adding = ['a', 'b', 'a'].map((item) => batcher.add(item))
  t.same(batches, [], 'the turn is not over')
  await turn()
  t.same(batches.map(({ items }) => items), [['a', 'b', 'a']])
  batches[0]!.end()
  t.same(await Promise.all(adding), ['did a', 'did b', 'did a'])
  const lone = batcher.add('c')
  await turn()
  t.same(batches[1]!.items, ['c'])
  batches[1]!.end()
  t.equal(await lone, 'did c')
})

await t.test('batcher: no item is answered before its batch; an item that arrives meanwhile waits for the next one', async (t) => {
  const { batcher, batches } = held()
  const answered: string[] = []
  const note = (answer: string) => { answered.push(answer) }
  const first = batcher.add('a').then(note)
  await turn()
  const second = batcher.add('b').then(note)
  await turn()
  t.equal(batches.length, 1)
  t.same(answered, [])
  batches[0]!.end()
  await first
  t.same(answered, ['did a'])
  await turn()
  batches[1]!.end()
  await second
  t.same(answered, ['did a', 'did b'])
})

await t.test('batcher: a failed item fails alone; a failed batch fails each of its items', async (t) => {
  const { batcher, batches } = held()
  const adding = Promise.allSettled(['a', 'b', 'c'].map((item) => batcher.add(item)))
  await turn()
  batches[0]!.end(['b'])
  t.same((await adding).map(({ status }) => status), ['fulfilled', 'rejected', 'fulfilled'])
  const failing = Promise.allSettled(['d', 'e'].map((item) => batcher.add(item)))
  await turn()
  batches[1]!.fail(new Error('gone'))
  t.same((await failing).map((outcome) => (outcome as PromiseRejectedResult).reason.message), ['gone', 'gone'])
  const after = batcher.add('f')
  await turn()
  batches[2]!.end()
  t.equal(await after, 'did f')
})

await t.test('batcher: a batch has at most `size` items, and at most `inFlight` batches are in flight', async (t) => {
  const { batcher, batches } = held({ size: 2, inFlight: 2 })
  const adding = Promise.all(['a', 'b', 'c', 'd', 'e'].map((item) => batcher.add(item)))
  for (let passed = 0; passed < 4; passed++) await turn()
  t.same(batches.map(({ items }) => items), [['a', 'b'], ['c', 'd']])
  batches[1]!.end()
  for (let passed = 0; passed < 4; passed++) await turn()
  t.same(batches[2]!.items, ['e'])
  batches[0]!.end()
  batches[2]!.end()
  t.equal((await adding).length, 5)
})

await t.test('batcher: above `halvesAbove` a batch is at most half of what waits or is in flight', async (t) => {
  const { batcher, batches } = held({ size: 8, inFlight: 2, halvesAbove: 2 })
  const sizes = () => batches.map(({ items }) => items.length)
  const add = (count: number) => Array.from({ length: count }, (_, index) => batcher.add(String(index)))
  const adding = add(2)
  await turn()
  t.same(sizes(), [2], 'a few go together')
  batches[0]!.end()
  await Promise.all(adding)

  adding.push(...add(9))
  for (let i = 0; i < 3; i++) await turn()
  t.same(sizes(), [2, 5, 4], 'all of them are in flight')
  adding.push(...add(30))
  batches[1]!.end()
  for (let i = 0; i < 3; i++) await turn()
  t.same(sizes(), [2, 5, 4, 8], 'never more than `size`')
  for (let i = 2; i < batches.length; i++) {
    batches[i]!.end()
    for (let j = 0; j < 3; j++) await turn()
  }
  t.equal((await Promise.all(adding)).length, 41)
  t.same(sizes(), [2, 5, 4, 8, 8, 8, 6])
})

await t.test('batcher: a batch of one is carried out alone where there is a way to, and fails by itself', async (t) => {
  const { batcher, batches } = held({
    async runAlone (item) {
      if (item === 'bad') throw new Error('bad alone')
      return `did ${item} alone`
    }
  })
  t.equal(await batcher.add('a'), 'did a alone')
  await t.rejects(batcher.add('bad'), { message: 'bad alone' })
  const together = ['b', 'c'].map((item) => batcher.add(item))
  await turn()
  t.same(batches.map(({ items }) => items), [['b', 'c']])
  batches[0]!.end()
  t.same(await Promise.all(together), ['did b', 'did c'])
})

await t.test('batcher: with keyOf no batch has a key twice, and the items of a key keep their order', async (t) => {
  const { batcher, batches } = held({ size: 3, keyOf: (item) => item[0]! })
  const adding = Promise.all(['a1', 'a2', 'b1', 'a3', 'c1', 'd1'].map((item) => batcher.add(item)))
  for (const expected of [['a1', 'b1', 'c1'], ['a2', 'd1'], ['a3']]) {
    await turn()
    t.same(batches.at(-1)!.items, expected)
    batches.at(-1)!.end()
    await turn()
  }
  t.equal((await adding).length, 6)
})

await t.test('batcher: a batch gives way to what waits elsewhere for a turn, and no longer', async (t) => {
  let isElsewhere = false
  const { batcher, batches } = held({ inFlight: 8, givesWay: () => isElsewhere })
  const adding = [batcher.add('a')]
  await turn()
  t.same(batches.map(({ items }) => items), [['a']], 'nothing waits elsewhere')
  isElsewhere = true
  adding.push(batcher.add('b'))
  t.ok(batcher.isWaiting)
  await turn()
  t.equal(batches.length, 1)
  adding.push(batcher.add('c'))
  await turn()
  t.same(batches[1]?.items, ['b', 'c'], 'although something waits elsewhere again')
  t.notOk(batcher.isWaiting)
  adding.push(batcher.add('d'))
  await turn()
  t.equal(batches.length, 2, 'the next batch gives way, too')
  await turn()
  for (const { end } of batches) end()
  t.same(await Promise.all(adding), ['did a', 'did b', 'did c', 'did d'])
})

await t.test('batcher: idle resolves when everything that was added has an answer', async (t) => {
  const { batcher, batches } = held()
  await batcher.idle()
  let isIdle = false
  const adding = batcher.add('a')
  const idle = batcher.idle().then(() => { isIdle = true })
  await turn()
  const late = batcher.add('b')
  batches[0]!.end()
  await adding
  await turn()
  t.notOk(isIdle, 'b is under way')
  batches[1]!.end()
  await late
  await idle
})

await t.test('batcher: a batch that is in flight for longer than its timeout holds up no other, and is still answered', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => { mock.timers.reset() })
  const { batcher, batches } = held({ inFlightTimeout: 100 })
  const first = batcher.add('a')
  await turn()
  const second = batcher.add('b')
  mock.timers.tick(99)
  await turn()
  t.equal(batches.length, 1)
  mock.timers.tick(1)
  await turn()
  t.same(batches.map(({ items }) => items), [['a'], ['b']])
  let isIdle = false
  const idle = batcher.idle().then(() => { isIdle = true })
  batches[1]!.end()
  t.equal(await second, 'did b')
  const third = batcher.add('c')
  await turn()
  t.equal(batches.length, 3, 'the batch that was over before its timeout made room once, and not twice')
  const fourth = batcher.add('d')
  mock.timers.tick(99)
  await turn()
  t.equal(batches.length, 3, 'the timeout of a batch that is over makes no room')
  batches[2]!.end()
  t.equal(await third, 'did c')
  await turn()
  batches[3]!.end()
  t.equal(await fourth, 'did d')
  t.notOk(isIdle, 'a has no answer yet')
  batches[0]!.end()
  t.equal(await first, 'did a')
  await idle
})
