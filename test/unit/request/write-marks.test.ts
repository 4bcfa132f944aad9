import t from 'tap'
import { digestOf, earlierTry, type RequestMark } from '../../../lib/request/write-marks.js'
import { MAX_DIGEST_LENGTH } from '../../../lib/storage/kit/version.js'

const mark = (name: string, content?: string): RequestMark =>
  ({ id: name.padEnd(22, '-'), content: content?.padEnd(22, '-') })

await t.test('write-marks: a digest tells whose write made the version, and whose writes were before it', async (t) => {
  const first = digestOf(mark('a'), false, undefined)
  t.equal(earlierTry(mark('a'), first), 'current')
  t.equal(earlierTry(mark('b'), first), undefined)
  const second = digestOf(mark('b'), false, first)
  t.equal(earlierTry(mark('b'), second), 'current')
  t.equal(earlierTry(mark('a'), second), 'superseded')
  t.equal(earlierTry(mark('a'), digestOf(mark('b'), false, undefined)), undefined, 'of a version that was not known')
})

await t.test('write-marks: a later write of the same request is another one than its first', async (t) => {
  const digest = digestOf(mark('a'), true, digestOf(mark('a'), false, undefined))
  t.equal(earlierTry(mark('a'), digest), 'later')
  t.equal(earlierTry(mark('a'), digestOf(mark('b'), false, digest)), 'superseded')
})

await t.test('write-marks: a key with another content is told, and where it stands in the digest does not matter', async (t) => {
  const digest = digestOf(mark('key', 'a'), false, undefined)
  t.equal(earlierTry(mark('key', 'a'), digest), 'current')
  t.equal(earlierTry(mark('key', 'b'), digest), 'reused')
  t.equal(earlierTry(mark('key', 'b'), digestOf(mark('x'), false, digest)), 'reused')
})

await t.test('write-marks: a digest never has more characters than a column may have, and remembers as many writes as that allows', async (t) => {
  for (const [isKeyed, remembered] of [[true, 12], [false, 18]] as const) {
    const marks = Array.from({ length: 40 }, (_, index) => mark(`m${index}`, isKeyed ? `c${index}` : undefined))
    let digest: string | undefined
    for (const last of marks) {
      digest = digestOf(last, true, digest)
      t.ok(digest.length <= MAX_DIGEST_LENGTH)
    }
    t.strictSame(marks.map((mark) => earlierTry(mark, digest)).filter((found) => found !== undefined),
      [...Array(remembered - 1).fill('superseded'), 'later'])
  }
})

await t.test('write-marks: a digest of somebody else says nothing, and nothing of it is kept', async (t) => {
  const { id } = mark('a')
  for (const foreign of ['', 'sha-256=:abc:', `${id}~`, `x~${id.slice(0, 12)}`, `${id}~x`, `${id}~${id}`, `${id} `]) {
    t.equal(earlierTry(mark('a'), foreign), undefined, foreign)
    t.equal(digestOf(mark('b'), false, foreign), mark('b').id, foreign)
  }
})
