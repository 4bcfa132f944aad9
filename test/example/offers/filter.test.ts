import t from 'tap'
import { offerTypeOf } from '../../../example/offers/filter.js'

await t.test('the one known form, with spaces where OData allows them (reading 14)', async (t) => {
  const type = 'microsoft-azure-virtualmachines'
  for (const filter of [`offerTypeId eq '${type}'`, `  offerTypeId   eq\t'${type}'  `, `offerTypeId\neq '${type}'\n`]) {
    t.equal(offerTypeOf(filter), type, filter)
  }
})

await t.test('a type is taken as it is, a doubled quote as one (reading 14)', async (t) => {
  const types: Array<[string, string]> = [
    ["''", ''],
    ["''''", "'"],
    ["'it''s'", "it's"],
    ["''''''", "''"],
    ["'a'' or ''b'", "a' or 'b"],
    ["' a '", ' a '],
    ["'%27'", '%27'],
    ["'ä\u{1f30a}'", 'ä\u{1f30a}'],
    ["'a\nb'", 'a\nb'],
    ["'eq'", 'eq']
  ]
  for (const [quoted, type] of types) t.equal(offerTypeOf(`offerTypeId eq ${quoted}`), type, quoted)
})

await t.test('every other form is 400 (reading 14)', async (t) => {
  const wrong = [
    '',
    ' ',
    'offerTypeId',
    'offerTypeId eq',
    'offerTypeId eq ',
    "eq 'a'",
    "'a'",
    'offerTypeId eq a',
    'offerTypeId eq "a"',
    "offerTypeId eq 'a",
    "offerTypeId eq a'",
    "offerTypeId eq ''a'",
    "offerTypeId eq 'a''",
    "offerTypeId eq '''",
    "offerTypeId eq 'it's'",
    "offerTypeId eq 'a' ''",
    "offerTypeId eq'a'",
    "offerTypeIdeq 'a'",
    "offertypeid eq 'a'",
    "offerTypeId EQ 'a'",
    "offerTypeId ne 'a'",
    "offerTypeId = 'a'",
    "'a' eq offerTypeId",
    "status eq 'a'",
    "x/offerTypeId eq 'a'",
    "offerTypeId eq 'a' or offerTypeId eq 'b'",
    "offerTypeId eq 'a' and status eq 'b'",
    "not offerTypeId eq 'a'",
    "(offerTypeId eq 'a')",
    "offerTypeId eq 'a';",
    'offerTypeId eq null',
    "offerTypeId eq ('a')"
  ]
  const error = { statusCode: 400, code: 'BadRequest', message: /\$filter/ }
  for (const filter of wrong) t.throws(() => offerTypeOf(filter), error, filter)
})

await t.test('a long filter does not hang, whatever it holds', async (t) => {
  const length = 100_000
  t.equal(offerTypeOf(`offerTypeId eq '${"''".repeat(length)}'`).length, length)
  for (const filter of [
    `offerTypeId eq '${"''".repeat(length)}`,
    `offerTypeId eq '${"''".repeat(length)}'x'`,
    `offerTypeId eq 'a'${' '.repeat(length)}x`,
    ' '.repeat(length)
  ]) {
    t.throws(() => offerTypeOf(filter), { statusCode: 400, message: /\$filter/ })
  }
})
