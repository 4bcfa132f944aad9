import t from 'tap'
import { assertNoFlaw, kindOf, unknownOption } from '../../../../lib/storage/kit/flaws.js'

await t.test('options without a flaw pass', async (t) => {
  t.doesNotThrow(() => { assertNoFlaw('anAdapter', []) })
  t.doesNotThrow(() => { assertNoFlaw('anAdapter', [[false, '"a" must be a.'], [false, '"b" must be b.']]) })
})

await t.test('the first flaw is the error, and names what the options are for', async (t) => {
  const flaws = [[false, '"a" must be a.'], [true, '"b" must be b.'], [true, '"c" must be c.']] as const
  t.throws(() => { assertNoFlaw('anAdapter', flaws) }, {
    code: 'FST_IF_MATCH_INVALID_OPTIONS',
    message: /anAdapter are wrong: "b" must be b\.$/
  })
})

await t.test('an option under another name is a flaw: it names the nearest option, or all of them', async (t) => {
  const known = { table: 'entities', lockTimeout: undefined, timeout: 1 }
  t.strictSame(unknownOption({ table: 'x', timeout: 2 }, known), [false, ''])
  for (const nothing of [undefined, null, 1]) t.strictSame(unknownOption(nothing, known), [false, ''])
  t.strictSame(unknownOption({ timeOut: 1 }, known), [true, 'there is no option "timeOut". Did you mean "timeout"?'])
  t.strictSame(
    unknownOption({ file: 'a' }, known),
    [true, 'there is no option "file". Use "table", "lockTimeout", "timeout".']
  )
})

await t.test('the kind of a value quotes nothing of it', async (t) => {
  const kinds: Array<[value: unknown, kind: string]> = [
    [undefined, 'undefined'],
    [null, 'null'],
    ['secret', 'a string'],
    [1, 'a number'],
    [1n, 'a bigint'],
    [Symbol('secret'), 'a symbol'],
    [['secret'], 'an array'],
    [{ secret: 1 }, 'an object'],
    [Promise.resolve('secret'), 'a promise'],
    [() => 'secret', 'a function'],
    [class Secret {}, 'a class'],
    [function Klass () {}, 'a function']
  ]
  for (const [value, kind] of kinds) t.equal(kindOf(value), kind)
})
