import t from 'tap'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { flawOfAdapter } from '../../../../lib/storage/kit/adapter-shape.js'

await t.test('flawOfAdapter: what is passed in place of a storage adapter is named, with what to do', (t) => {
  const adapter = memoryAdapter()
  const cases: Array<[value: unknown, flaw: string | RegExp]> = [
    [undefined, /^is missing\. Pass one/], [null, /^is null\. Pass one/], ['memory', /^is a string\. Pass one/],
    [Promise.resolve(adapter), /^is a promise\. Await it/], [memoryAdapter, /^is a function\. Call it/],
    [class Adapter {}, /^is a class\. Pass an instance/], [{}, /^lacks read, write, remove\. Pass one/],
    [{ ...adapter, write: true }, /^lacks write\. Pass one/],
    ...['list', 'transaction', 'open', 'close'].map((name): [unknown, string] => [
      { ...adapter, [name]: true }, `has "${name}", which is no function. Make it one, or leave it out.`
    ])
  ]
  for (const [value, flaw] of cases) t.match(flawOfAdapter(value), flaw)
  t.equal(flawOfAdapter(adapter), undefined)
  t.equal(flawOfAdapter({ ...adapter, list: undefined }), undefined)
  t.end()
})
