import t from 'tap'
import { preferredReturn, varyByPrefer } from '../../../lib/http/prefer.js'

await t.test('Prefer: names are case-insensitive, values may be quoted, white space and parameters are allowed (RFC 7240 2)', async (t) => {
  for (const [field, wanted] of [
    [undefined, undefined],
    [null, undefined],
    ['', undefined],
    ['return=representation', 'representation'],
    ['return=minimal', 'minimal'],
    ['RETURN=representation', 'representation'],
    ['Return = representation', 'representation'],
    [' \treturn\t=\trepresentation\t', 'representation'],
    ['return="representation"', 'representation'],
    ['return="re\\presentation"', 'representation'],
    ['return=representation; x', 'representation'],
    ['return=representation ; x=1;y="a, b";;', 'representation'],
    ['respond-async, wait=10, return=representation', 'representation'],
    ['respond-async, wait=10;x=",", return=representation', 'representation'],
    [', ,return=representation,,', 'representation'],
    [['respond-async', 'return=representation'], 'representation'],
    ['handling=lenient; return=representation', undefined],
    ['x="return=representation"', undefined],
    ['x=", return=representation"', undefined],
    ['x="\\", return=representation"', undefined]
  ] as const) t.equal(preferredReturn(field), wanted, JSON.stringify(field))
})

await t.test('Prefer: the first one counts, contrary ones count as neither (RFC 7240 2, 4.2)', async (t) => {
  for (const [field, wanted] of [
    ['return=representation, return=representation', 'representation'],
    ['return=representation, RETURN=other', 'representation'],
    ['return=other, return=representation', undefined],
    ['return, return=representation', undefined],
    ['return="", return=representation', undefined],
    ['return=minimal, return=representation', undefined],
    ['return=representation, return=minimal', undefined],
    ['return=representation, x, return="minimal"', undefined],
    ['return=x, return=minimal, return=representation', undefined]
  ] as const) t.equal(preferredReturn(field), wanted, field)
})

await t.test('Prefer: what is not understood is ignored (RFC 7240 2)', async (t) => {
  for (const field of [
    'return', 'return=', 'return=Representation', 'return=representations', 'returns=representation', 'return=true',
    'return representation', 'return:representation', 'return=repre sentation', 'return=representation x',
    'return=representation"', 'return="representation', 'return="representation"x', "return='representation'",
    'return==representation', '=representation', '"return"=representation', 'return=representation=x', 'representation',
    '*', '\u{1F600}', 'return\u00a0=representation', '\\', 'return="\\', '"', 7, {}, [], [[]]
  ]) t.equal(preferredReturn(field), undefined, String(field))
  const behindGarbage = preferredReturn('@@@ "x", return=representation')
  t.equal(behindGarbage, 'representation', 'a member that cannot be read spoils no other')
})

await t.test('Prefer: a long field is read in one pass: a second pass for each member would not end here', async (t) => {
  for (const piece of ['return=', '"', '\\', ',', ' ', 'a', 'a=', 'return="a', '="\\"', ';', 'a="b",', 'a ,']) {
    t.equal(preferredReturn(`${piece.repeat(1_048_576 / piece.length)} x`), undefined, piece)
  }
})

await t.test('Vary: Prefer joins what an answer depends on already (RFC 9110 12.5.5)', async (t) => {
  for (const [vary, wanted] of [
    [undefined, 'Prefer'],
    [null, 'Prefer'],
    [' ', 'Prefer'],
    ['Origin', 'Origin, Prefer'],
    ['Accept-Encoding, Origin', 'Accept-Encoding, Origin, Prefer'],
    [['Accept', 'Origin'], 'Accept,Origin, Prefer'],
    ['accept, PREFER', 'accept, PREFER'],
    ['*', '*'],
    ['X-Prefer', 'X-Prefer, Prefer']
  ] as const) t.equal(varyByPrefer(vary), wanted, String(vary))
})
