import t from 'tap'
import { classOf, Flaw, flawOf, notJson, refusalOf } from '../../../../lib/storage/kit/json-flaw.js'

await t.test('a flaw says what is wrong, and where as a JSON Pointer (RFC 6901 3), from the outside in', async (t) => {
  t.equal(new Flaw('NaN').textOf('it'), 'it is NaN')
  t.equal(new Flaw('NaN').inside([], '1').inside({}, 'a/~b').textOf('it'), 'it has NaN at /a~1~0b/1')
})

await t.test('names in the place of a flaw are cut, without control characters, and so is the place', async (t) => {
  t.equal(new Flaw('NaN').inside({}, `${'a'.repeat(65)}`).textOf('it'), `it has NaN at /${'a'.repeat(64)}…`)
  t.equal(new Flaw('NaN').inside({}, 'a\n\u2028b').textOf('it'), 'it has NaN at /a??b')
  const deep = new Flaw('NaN')
  for (let level = 0; level < 150; level++) deep.inside({}, 'ab')
  const place = deep.textOf('it').replace('it has NaN at ', '')
  t.equal(place.length, 201)
  t.match(place, /^\/ab\/ab.*….*ab$/)
})

await t.test('too many levels of an object that is inside itself are that circle, and its place', async (t) => {
  const circle = {}
  const flaw = new Flaw('more than 512 levels', { isSendable: true })
  flaw.inside(circle, 'self').inside(circle, 'self').inside([], '0')
  t.equal(flaw.resolved().textOf('it'), 'it has an object that is inside itself at /0/self')
  t.equal(flaw.resolved().isSendable, false)
  const straight = new Flaw('NaN').inside({}, 'a')
  t.equal(straight.resolved(), straight)
})

await t.test('what a request can bring is 422, and anything else 500, with the error of a getter as its cause', async (t) => {
  t.match(refusalOf(new Flaw('an infinite number', { isSendable: true })), {
    code: 'FST_IF_MATCH_INVALID_VALUE',
    statusCode: 422
  })
  t.match(refusalOf(new Flaw('NaN')), { code: 'FST_IF_MATCH_NOT_JSON', statusCode: 500, cause: undefined })
  const cause = new Error('secret')
  const error = refusalOf(cause)
  t.match(error, { code: 'FST_IF_MATCH_NOT_JSON', message: /it is something that cannot be read\./ })
  t.equal(error.cause, cause)
  t.notMatch(error.message, /secret/)
  t.match(notJson(flawOf(new Flaw('NaN')), 'what "read" gave'), { message: /what "read" gave is NaN\./ })
})

await t.test('an object is told by the name of its class, and never by what a client can write', async (t) => {
  class Offer {}
  class Long extends Offer {}
  Object.defineProperty(Long, 'name', { value: 'a'.repeat(65) })
  class Throws extends Offer { static override get name (): string { throw new Error('secret') } }
  t.equal(classOf(new Offer()), 'an Offer')
  t.equal(classOf(new Date()), 'a Date')
  const unnamed = [new Long(), new Throws(), Object.create({ constructor: 'secret' }) as object]
  for (const value of unnamed) t.equal(classOf(value), 'an object with a class of its own')
})
