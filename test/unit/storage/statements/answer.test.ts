import t from 'tap'
import { changedBy, isChanged, provenanceOf, written } from '../../../../lib/storage/statements/answer.js'

const FAULT = { code: 'FST_IF_MATCH_STORAGE_FAULT', statusCode: 500, message: /may have been applied/ }

const cause = (call: () => unknown): string => {
  try {
    return `it gave ${JSON.stringify(call())}`
  } catch (error) {
    return ((error as Error).cause as Error).message
  }
}

await t.test('the answer of a statement: a count of 0 or 1, or an array of none or one row', async (t) => {
  t.strictSame([changedBy(0), changedBy(1), isChanged(0), isChanged(1)], [undefined, {}, false, true])
  t.equal(changedBy([]), undefined)
  t.strictSame(changedBy([{ version: 7 }]), { row: { version: 7 } })
  t.strictSame(changedBy(Object.assign([{ version: 7 }], { count: 1 })), { row: { version: 7 } })
  t.equal(changedBy(Object.assign([], { count: 0 })), undefined)
  for (const answer of [undefined, null, 2, -1, NaN, true, '1', { rows: [] }]) {
    for (const read of [changedBy, isChanged]) {
      t.throws(() => read(answer), { ...FAULT, cause: { message: /0 or 1/ } }, String(answer))
    }
  }
})

await t.test('rows that tell nothing are a fault, and no refusal of a write that was applied: several, and the empty array of a statement without RETURNING', async (t) => {
  t.throws(() => changedBy([{ version: 7 }, { version: 8 }]), FAULT)
  t.match(cause(() => changedBy([{ version: 7 }, { version: 8 }])), /gave 2 rows, and changed as many/)
  t.match(cause(() => changedBy(Object.assign([], { count: 1 }))), /gave 0 rows, and changed 1\. .*by RETURNING/)
  t.throws(() => isChanged([]), FAULT, 'a removal is counted')
})

const sent = {
  version: 'sent', columns: { n: 1 }, created: true, versions: undefined, toValue: ({ n }: { n: number }) => ({ n })
}

await t.test('what was written is what was sent, unless the row says otherwise', async (t) => {
  t.strictSame(written({}, sent), { applied: true, version: 'sent', created: true })
  t.strictSame(written({ row: { version: 7n } }, sent), { applied: true, version: '7', created: true })
  const row = { version: '7', n: 2, replaced: null, more: 3 }
  t.strictSame(written({ row }, { ...sent, created: false }), {
    applied: true, version: '7', created: false, value: { n: 2 }
  })
})

await t.test('the value of a row is a copy', async (t) => {
  const shared = { version: '7', n: [1] }
  const toValue = ({ n }: { n: number[] }) => n
  const { value } = written({ row: shared }, { ...sent, columns: { n: [] as number[] }, toValue })
  value!.push(2)
  t.strictSame(shared.n, [1])
})

await t.test('an unfit row of a write that was applied is a fault that does not say that nothing was applied', async (t) => {
  const row = { version: 7, n: 1 }
  const own = Object.assign(new Error('of the app'), { statusCode: 422 })
  for (const [call, says] of [
    [() => written({ row: null as never }, sent), /not there/],
    [() => written({ row: 0 as never }, sent), /not there/],
    [() => written({ row: { version: new Date() as never } }, sent), /a Date/],
    [() => written({ row }, { ...sent, versions: ['7'] }), /its version stayed/],
    [() => written({ row }, { ...sent, toValue: () => { throw own } }), /of the app/],
    [() => written({ row }, { ...sent, toValue: () => 1n as never }), /is a BigInt/]
  ] as const) {
    t.match(cause(call), says)
    t.throws(call, FAULT)
  }
  t.match(written({ row }, { ...sent, versions: ['6', '7'] }), { version: '7' }, 'the row may have had either')
})

await t.test('provenance: what a row does not have is undefined, and a wrong version is a fault of a read', async (t) => {
  t.strictSame(provenanceOf({ version: 7 }), { version: '7', replaced: undefined, digest: undefined })
  t.strictSame(provenanceOf({ version: 7, replaced: null, digest: null }), {
    version: '7', replaced: undefined, digest: undefined
  })
  t.strictSame(provenanceOf({ version: 7, replaced: 0, digest: 'd' }), { version: '7', replaced: '0', digest: 'd' })
  t.throws(() => provenanceOf({ version: undefined }), {
    code: FAULT.code, message: /a read failed/, cause: { message: /not there\. Select it/ }
  })
})
