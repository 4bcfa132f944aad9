import t from 'tap'
import { KeyTurns } from '../../../../lib/storage/kit/key-turns.js'

const late = () => new Error('late')

function barrier () {
  let open = () => {}
  const opened = new Promise<void>((resolve) => { open = resolve })
  return { open, opened }
}

await t.test('changes of one key run one after the other, also behind a failed one; changes of other keys run beside them', async (t) => {
  const turns = new KeyTurns()
  const [first, second] = [barrier(), barrier()]
  const begun: string[] = []
  const take = async (key: string, name: string, until?: Promise<void>) => await turns.take(key, 60_000, async () => {
    begun.push(name)
    await until
    if (name === 'a1') throw new Error('failed')
    return name
  }, late)
  const changes = [
    t.rejects(take('a', 'a1', first.opened), { message: 'failed' }),
    take('a', 'a2', second.opened),
    take('a', 'a3'),
    take('b', 'b1')
  ]
  t.equal(await changes[3], 'b1')
  t.strictSame(begun, ['a1', 'b1'])
  first.open()
  await changes[0]
  second.open()
  t.strictSame(await Promise.all(changes.slice(1)), ['a2', 'a3', 'b1'])
  t.strictSame(begun, ['a1', 'b1', 'a2', 'a3'])
})

await t.test('a key is forgotten when its changes have settled', async (t) => {
  const turns = new KeyTurns()
  const { open, opened } = barrier()
  const change = turns.take('a', 60_000, async () => { await opened }, late)
  t.ok(turns.has('a'))
  t.notOk(turns.has('b'))
  open()
  await change
  await new Promise(setImmediate)
  t.notOk(turns.has('a'))
})

await t.test('a change that waited for too long is never started, and the changes behind it still wait for their turn', async (t) => {
  const turns = new KeyTurns()
  const { open, opened } = barrier()
  const ahead = turns.take('a', 60_000, async () => { await opened }, late)
  const begun: string[] = []
  const impatient = turns.take('a', 1, async () => { begun.push('impatient') }, late)
  const patient = turns.take('a', 60_000, async () => { begun.push('patient') }, late)
  await t.rejects(impatient, { message: 'late' })
  t.strictSame(begun, [])
  open()
  await Promise.all([ahead, patient])
  t.strictSame(begun, ['patient'])
})

await t.test('a change that arrives when the first one is over and the second is under way waits for the second', async (t) => {
  const turns = new KeyTurns()
  const [first, second] = [barrier(), barrier()]
  const begun: string[] = []
  const take = async (name: string, until?: Promise<void>) => await turns.take('a', 60_000, async () => {
    begun.push(name)
    await until
  }, late)
  const changes = [take('1', first.opened), take('2', second.opened)]
  first.open()
  await changes[0]
  await new Promise(setImmediate)
  changes.push(take('3'))
  await new Promise(setImmediate)
  t.strictSame(begun, ['1', '2'])
  second.open()
  await Promise.all(changes)
  t.strictSame(begun, ['1', '2', '3'])
})
