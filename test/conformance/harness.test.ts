import t from 'tap'
import { runCase, type Harness, type Subject } from '../../lib/conformance/harness.js'
import { memoryAdapter } from '../../lib/storage/memory.js'

// A subject that writes down what is done to it.
function diary () {
  const entries: string[] = []
  const adapter = (name: string) => ({
    ...memoryAdapter(),
    async open () { entries.push(`open ${name}`) },
    async close () { entries.push(`close ${name}`) }
  })
  const subject: Subject = {
    adapter: adapter('first'),
    another: async () => adapter('second'),
    async cut () {
      entries.push('cut')
      return async () => { entries.push('mend') }
    },
    async close () { entries.push('close subject') }
  }
  return { entries, subject }
}

await t.test('runCase: adapters are opened before a case and closed after it, and the subject last', async (t) => {
  const { entries, subject } = diary()
  await runCase(async () => subject, async (harness) => {
    await harness.another()
    entries.push('case')
  })
  t.same(entries, ['open first', 'open second', 'case', 'close first', 'close second', 'close subject'])
})

await t.test('runCase: everything is closed when a case fails, and the failure is told', async (t) => {
  const { entries, subject } = diary()
  const failure = new Error('the case')
  await t.rejects(runCase(async () => subject, async () => { throw failure }), failure)
  t.same(entries, ['open first', 'close first', 'close subject'])
})

await t.test('runCase: everything is closed when an adapter cannot be opened or closed, and the first failure is told', async (t) => {
  const { entries, subject } = diary()
  subject.adapter.open = async () => { throw new Error('no open') }
  subject.adapter.close = async () => { throw new Error('no close') }
  await t.rejects(runCase(async () => subject, async () => { entries.push('case') }), { message: 'no open' })
  t.same(entries, ['close subject'])
})

await t.test('runCase: a case that passes fails if its subject cannot be closed', async (t) => {
  const { subject } = diary()
  subject.close = async () => { throw new Error('no close') }
  await t.rejects(runCase(async () => subject, async () => {}), { message: 'no close' })
})

await t.test('runCase: an adapter that a case closes is not closed again', async (t) => {
  const { entries, subject } = diary()
  await runCase(async () => subject, async (harness) => await harness.close(harness.adapter))
  t.same(entries, ['open first', 'close first', 'close subject'])
})

await t.test('runCase: the engine is mended when the steps of an outage fail', async (t) => {
  const { entries, subject } = diary()
  const outage = (harness: Harness) => harness.whileCut(async () => { throw new Error('a step') })
  await t.rejects(runCase(async () => subject, outage), { message: 'a step' })
  t.same(entries, ['open first', 'cut', 'mend', 'close first', 'close subject'])
})
