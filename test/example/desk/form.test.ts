import t from 'tap'
import { contentOf, documentOf, fieldOfPath, formOf, type Form } from '../../../example/desk/page/model/form.js'
import type { JsonObject } from '../../../example/desk/page/model/json.js'

const SUMMARY = 'microsoft-azure-marketplace.summary'
const DOCUMENT: JsonObject = {
  offerTypeId: 'vm',
  id: 'reef-db',
  publisherId: 'contoso',
  status: 'running',
  version: 3,
  changedTime: 'now',
  definition: {
    displayText: 'Reef DB',
    offer: { [SUMMARY]: 'A database', other: 1 },
    plans: [{ planId: 'small', regions: ['FI'] }],
    more: [1]
  }
}

/** The fields of the document with some of them changed, as a document again. */
function documentWith (change: Partial<Form>, document = DOCUMENT) {
  return documentOf({ ...formOf(document), ...change }, document)
}

await t.test('form: an offer that is not edited is sent as it was read, without what the server owns (reading 12)', async (t) => {
  const documents: JsonObject[] = [
    DOCUMENT,
    { offerTypeId: 'vm' },
    { offerTypeId: 'vm', definition: {} },
    { offerTypeId: 'vm', definition: { displayText: '', plans: [] } },
    { offerTypeId: 'vm', definition: { offer: { [SUMMARY]: { de: 'no text' } } } },
    { offerTypeId: 'vm', definition: { plans: [{ planId: 'a' }, { planId: 'a' }] } },
    { offerTypeId: 'vm', definition: { plans: [{ id: 'no planId' }] } },
    { offerTypeId: 'vm', definition: 5 },
    JSON.parse('{"offerTypeId":"vm","__proto__":{"a":1}}')
  ]
  for (const document of documents) {
    t.strictSame(documentWith({}, document), { content: contentOf(document) }, JSON.stringify(document))
  }
  t.strictSame(contentOf(DOCUMENT), { offerTypeId: 'vm', definition: DOCUMENT['definition'] })
})

await t.test('form: each field goes where it belongs, and the rest stays', async (t) => {
  const form = formOf(DOCUMENT)
  t.match(form, { name: 'Reef DB', summary: 'A database', description: '', plans: [{ planId: 'small' }] })
  t.strictSame(JSON.parse(form.rest), { offerTypeId: 'vm', definition: { offer: { other: 1 }, more: [1] } })
  const offer = { 'microsoft-azure-marketplace.description': 'Long', other: 1 }
  t.match(documentWith({ name: 'Atoll', description: 'Long' }), {
    content: { definition: { displayText: 'Atoll', offer } }
  })
  const plans = [{ planId: 'a', rest: '' }, { planId: 'b', rest: '{"x":1}' }]
  t.strictSame(documentWith({ plans }, { offerTypeId: 'vm' }), {
    content: { offerTypeId: 'vm', definition: { plans: [{ planId: 'a' }, { planId: 'b', x: 1 }] } }
  })
  t.match(documentWith({ plans: [] }), { content: { definition: { plans: [] } } }, 'the last plan was removed')
  t.strictSame(documentWith({ rest: '' }, { offerTypeId: 'vm' }), { content: {} })
  t.strictSame(documentWith({ rest: '{"definition":5}' }), { content: { definition: 5 } }, 'the server says why not')
  const paths = ['/definition/displayText', `/definition/offer/${SUMMARY}`, '/x']
  t.strictSame(paths.map(fieldOfPath), ['name', 'summary', undefined])
})

await t.test('form: what is no JSON, no object, no exact number or there twice is told with its field', async (t) => {
  const cases: Array<[Partial<Form>, string, string, string | RegExp]> = [
    [{ rest: '{' }, 'rest', 'notJson', /JSON/],
    [{ rest: '[1]' }, 'rest', 'notObject', ''],
    [{ rest: 'null' }, 'rest', 'notObject', ''],
    [{ rest: '{"a":9007199254740993}' }, 'rest', 'inexactNumber', '9007199254740993'],
    [{ rest: '{"a":0.1234567890123456789}' }, 'rest', 'inexactNumber', '0.1234567890123456789'],
    [{ rest: '{"a":1e400}' }, 'rest', 'inexactNumber', '1e400'],
    [{ rest: '{"definition":{"displayText":"again"}}' }, 'rest', 'twice', 'definition/displayText'],
    [{ plans: [{ planId: '', rest: '' }] }, 'plans.0.planId', 'noPlanId', ''],
    [{ plans: [{ planId: 'a', rest: '{"planId":"b"}' }] }, 'plans.0.rest', 'twice', 'planId'],
    [{ plans: [{ planId: 'a', rest: '}' }] }, 'plans.0.rest', 'notJson', /JSON/]
  ]
  for (const [change, field, kind, detail] of cases) {
    t.match(documentWith(change), { flaws: [{ field, kind, detail }] }, JSON.stringify(change))
  }
  t.match(documentWith({ rest: '{', plans: [{ planId: '', rest: '[' }] }), {
    flaws: [{ field: 'rest' }, { field: 'plans.0.planId' }, { field: 'plans.0.rest' }]
  }, 'all of them at once')
  const exact = '{"a":[1.50,-0,0.0,1e3,1.5E-7,100,12345678901234567000,"9007199254740993","\\\\",1e21]}'
  t.match(documentWith({ rest: exact }), { content: Object }, 'the same number in another form')
})
