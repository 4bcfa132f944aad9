import t from 'tap'
import { runCase, type Harness, type Subject } from '../../lib/conformance/harness.js'
import { memoryAdapter } from '../../lib/storage/memory.js'

// A subject, and a record of every call on it and its adapters.
function recordedSubject () {
  const calls: string[] = []
  const adapter = (name: string) => ({
    ...memoryAdapter(),
    async open () { calls.push(`open ${name}`) },
    async close () { calls.push(`close ${name}`) }
  })
  const subject: Subject = {
    adapter: adapter('first'),
    another: async () => adapter('second'),
    async cut () {
      calls.push('cut')
      return async () => { calls.push('mend') }
    },
    async close () { calls.push('close subject') }
  }
  return { calls, subject }
}

await t.test('runCase: adapters are opened before a case and closed after it, and the subject last', async (t) => {
  const { calls, subject } = recordedSubject()
  await runCase(async () => subject, async (harness) => {
    await harness.another()
    calls.push('case')
  })
  t.same(calls, ['open first', 'open second', 'case', 'close first', 'close second', 'close subject'])
})

await t.test('runCase: everything is closed when a case fails, and runCase rejects with its failure', async (t) => {
  const { calls, subject } = recordedSubject()
  const failure = new Error('the case')
  await t.rejects(runCase(async () => subject, async () => { throw failure }), failure)
  t.same(calls, ['open first', 'close first', 'close subject'])
})

await t.test('runCase: everything is closed when an adapter cannot be opened or closed, and runCase rejects with the first failure', async (t) => {
  const { calls, subject } = recordedSubject()
  subject.adapter.open = async () => { throw new Error('no open') }
  subject.adapter.close = async () => { throw new Error('no close') }
  await t.rejects(runCase(async () => subject, async () => { calls.push('case') }), { message: 'no open' })
  t.same(calls, ['close subject'])
})

await t.test('runCase: a case fails if its subject cannot be closed', async (t) => {
  const { subject } = recordedSubject()
  subject.close = async () => { throw new Error('no close') }
  await t.rejects(runCase(async () => subject, async () => {}), { message: 'no close' })
})

await t.test('runCase: an adapter that a case closes is not closed again', async (t) => {
  const { calls, subject } = recordedSubject()
  await runCase(async () => subject, async (harness) => await harness.close(harness.adapter))
  t.same(calls, ['open first', 'close first', 'close subject'])
})

await t.test('runCase: an outage ends when its steps fail', async (t) => {
  const { calls, subject } = recordedSubject()
  const outage = (harness: Harness) => harness.whileCut(async () => { throw new Error('a step') })
  await t.rejects(runCase(async () => subject, outage), { message: 'a step' })
  t.same(calls, ['open first', 'cut', 'mend', 'close first', 'close subject'])
})
