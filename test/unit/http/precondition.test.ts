import t from 'tap'
import type { EntityTag } from '../../../lib/http/entity-tag.js'
import { parseTagList } from '../../../lib/http/list-header.js'
import {
  evaluate,
  expectationOf,
  ifNoneMatchHolds,
  normalise,
  preconditionsFor,
  unchangedSince,
  versionsOf,
  withoutCodings,
  type Policy,
  type Preconditions,
  type Verdict
} from '../../../lib/http/precondition.js'
import { satisfies } from '../../../lib/storage/kit/expectation.js'

const policies = {
  reads: { mayCreate: false, wildcardCreates: false, absent: 404 },
  answers412: { mayCreate: false, wildcardCreates: false, absent: 412 },
  creates: { mayCreate: true, wildcardCreates: false, absent: 404 },
  wildcard: { mayCreate: true, wildcardCreates: true, absent: 404 }
} satisfies Record<string, Policy>

function preconditions (ifMatch?: string, ifNoneMatch?: string): Preconditions {
  return {
    ifMatch: ifMatch === undefined ? undefined : parseTagList(ifMatch),
    ifNoneMatch: ifNoneMatch === undefined ? undefined : parseTagList(ifNoneMatch)
  }
}

await t.test('evaluate: the truth of each field, and their order (RFC 9110 13.1.1, 13.1.2, 13.2.2)', async (t) => {
  const table: Array<[string | undefined, string | undefined, string | undefined, keyof typeof policies, Verdict]> = [
    // current, If-Match, If-None-Match
    ['c', undefined, undefined, 'reads', 'perform'],
    ['c', '*', undefined, 'reads', 'perform'],
    ['c', '"c"', undefined, 'reads', 'perform'],
    ['c', '"x", "c"', undefined, 'reads', 'perform'],
    ['c', '"x"', undefined, 'reads', 'if-match'],
    ['c', 'W/"c"', undefined, 'reads', 'if-match'],
    ['c', undefined, '*', 'reads', 'if-none-match'],
    ['c', undefined, '"c"', 'reads', 'if-none-match'],
    ['c', undefined, 'W/"c"', 'reads', 'if-none-match'],
    ['c', undefined, '"x"', 'reads', 'perform'],
    ['c', '"c"', '"c"', 'reads', 'if-none-match'],
    ['c', '"x"', '"c"', 'reads', 'if-match'],
    ['c', '*', '*', 'creates', 'if-none-match'],
    [undefined, undefined, undefined, 'reads', 'absent'],
    [undefined, '*', undefined, 'reads', 'absent'],
    [undefined, '"x"', undefined, 'reads', 'absent'],
    [undefined, undefined, '*', 'reads', 'absent'],
    [undefined, undefined, '*', 'answers412', 'absent'],
    [undefined, '*', undefined, 'answers412', 'if-match'],
    [undefined, '"x"', undefined, 'answers412', 'if-match'],
    [undefined, undefined, undefined, 'creates', 'perform'],
    [undefined, '*', undefined, 'creates', 'if-match'],
    [undefined, '"x"', undefined, 'creates', 'if-match'],
    [undefined, undefined, '*', 'creates', 'perform'],
    [undefined, undefined, '"x"', 'creates', 'perform'],
    [undefined, '*', undefined, 'wildcard', 'perform'],
    [undefined, '"x"', undefined, 'wildcard', 'if-match'],
    [undefined, '*', '*', 'wildcard', 'perform']
  ]
  for (const [current, ifMatch, ifNoneMatch, policy, verdict] of table) {
    t.equal(evaluate(preconditions(ifMatch, ifNoneMatch), current, policies[policy]), verdict,
      `${current ?? 'absent'}, If-Match ${ifMatch ?? '-'}, If-None-Match ${ifNoneMatch ?? '-'}, ${policy}`)
  }
})

await t.test('expectation: it holds exactly where the preconditions do, so that the write decides the same', async (t) => {
  const fields = [undefined, '*', '"c"', '"x"', 'W/"c"', '"x", "c"', '"x", W/"c"']
  let said = 0
  for (const policy of Object.values(policies)) {
    for (const ifMatch of fields) {
      for (const ifNoneMatch of fields) {
        const asked = preconditions(ifMatch, ifNoneMatch)
        const expectation = expectationOf(asked, policy)
        if (expectation === undefined) continue
        said++
        for (const current of ['c', 'd', undefined]) {
          t.equal(satisfies(expectation, current), evaluate(asked, current, policy) === 'perform',
            `${current ?? 'absent'}, If-Match ${ifMatch ?? '-'}, If-None-Match ${ifNoneMatch ?? '-'}`)
        }
      }
    }
  }
  t.equal(said, 30, 'every policy with If-Match alone or nothing, and If-None-Match: * where it may create')
})

await t.test('expectation: none for lists in If-None-Match and for both fields, which must be read and compared', async (t) => {
  t.equal(expectationOf(preconditions(undefined, '"x"'), policies.creates), undefined)
  t.equal(expectationOf(preconditions('*', '*'), policies.wildcard), undefined)
  t.equal(expectationOf(preconditions(undefined, '*'), policies.reads), undefined)
})

await t.test('expectation: nothing has changed since a version was read', async (t) => {
  t.same(unchangedSince('c'), { kind: 'version', versions: ['c'] })
  t.same(unchangedSince(undefined), { kind: 'absent' })
  t.same(expectationOf(preconditionsFor('c'), policies.creates), unchangedSince('c'))
  t.same(expectationOf(preconditionsFor(undefined), policies.creates), unchangedSince(undefined))
})

await t.test('If-None-Match: weak comparison, and true if there is no representation (RFC 9110 13.1.2)', async (t) => {
  t.equal(ifNoneMatchHolds('*', undefined), true)
  t.equal(ifNoneMatchHolds([{ opaque: 'c', weak: true }], 'c'), false)
  t.equal(ifNoneMatchHolds([{ opaque: 'C', weak: true }], 'c'), true)
})

await t.test('normalise: strong leaves a tag as it is, opaque drops the weak mark, a function decides itself', async (t) => {
  const tags = [{ opaque: 'c-gzip', weak: true }]
  t.equal(normalise(tags, 'strong'), tags)
  t.same(normalise(tags, 'opaque'), [{ opaque: 'c-gzip', weak: false }])
  const strip = ({ opaque, weak }: EntityTag): EntityTag => ({ opaque: opaque.replace(/-gzip$/, ''), weak })
  t.same(normalise(tags, strip), [{ opaque: 'c', weak: true }])
  t.equal(normalise('*', 'opaque'), '*')
})

await t.test('versions: writes compare the version, whatever variant and content-coding the tag is about', async (t) => {
  const d = { opaque: 'd', weak: true }
  const tags = [{ opaque: 'c;csv;gzip', weak: false }, d]
  t.same(versionsOf(tags), [{ opaque: 'c', weak: false }, d])
  t.equal(versionsOf('*'), '*')
  t.same(withoutCodings(tags), [{ opaque: 'c;csv', weak: false }, d])
  t.equal(withoutCodings('*'), '*')
})
