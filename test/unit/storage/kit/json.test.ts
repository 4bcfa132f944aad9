import { runInNewContext } from 'node:vm'
import t from 'tap'
import { copyJson, copyOfJson, copyRead, jsonText } from '../../../../lib/storage/kit/json.js'

function nested (levels: number): unknown {
  let value: unknown = 0
  for (let level = 0; level < levels; level++) value = level % 2 === 0 ? [value] : { in: value }
  return value
}

await t.test('copyJson: a copy is equal, and shares no object with what was copied', async (t) => {
  const value = { a: [1, 'b', true, false, null, { c: [] }], d: {}, '': '\ud800\0' }
  const copy = copyJson(value)
  t.strictSame(copy, value)
  t.not(copy, value)
  t.not(copy.a, value.a)
  t.not(copy.a[5], value.a[5])
  t.not(copy.d, value.d)
})

await t.test('copyJson: scalars are themselves', async (t) => {
  const scalars = [null, true, false, '', 'a', 0, -1, 0.1, 1e308, Number.MAX_SAFE_INTEGER]
  for (const value of scalars) t.equal(copyJson(value), value)
})

await t.test('copyJson: an object that occurs twice becomes two objects', async (t) => {
  const shared = { a: 1 }
  const copy = copyJson([shared, shared])
  t.strictSame(copy, [{ a: 1 }, { a: 1 }])
  t.not(copy[0], copy[1])
})

await t.test('copyJson: properties that are undefined, inherited, hidden or symbols are left out, as in JSON', async (t) => {
  const value = Object.defineProperty({ a: 1, b: undefined, [Symbol('c')]: 2 }, 'd', { value: 3, enumerable: false })
  t.strictSame(Object.keys(copyJson(value)), ['a'])
})

await t.test('copyJson, copyOfJson, jsonText: what a library added to Object.prototype is no member of a value', async (t) => {
  const value = copyJson({ a: { b: 1 } })
  Object.assign(Object.prototype, { added: () => {}, addedToo: {} })
  try {
    for (const copied of [copyJson(value), copyOfJson(value)]) t.strictSame(Object.getOwnPropertyNames(copied), ['a'])
    t.equal(jsonText(value), '{"a":{"b":1}}')
  } finally {
    for (const name of ['added', 'addedToo']) Reflect.deleteProperty(Object.prototype, name)
  }
})

class Lines extends Array<unknown> {
  constructor ({ items }: { items: unknown[] }) {
    super()
    this.push(...items)
  }
}

class WithText extends Array<unknown> {
  toJSON (): number {
    return NaN
  }
}

await t.test('copyJson, copyOfJson: an array of a class of the app is copied to a plain one, without its constructor', async (t) => {
  for (const copy of [copyJson, copyOfJson]) {
    const copied = copy(new Lines({ items: [1, [2]] }))
    t.equal(Object.getPrototypeOf(copied), Array.prototype)
    t.strictSame(copied, [1, [2]])
  }
})

await t.test('copyJson, jsonText: what a toJSON would write that is hidden, inherited or of an array is refused', async (t) => {
  const hidden = Object.defineProperty({ a: 1 }, 'toJSON', { value: () => NaN })
  const inherited = Object.create(Object.assign(Object.create(null), { toJSON: () => NaN })) as object
  for (const value of [hidden, inherited, Object.assign([1], { toJSON: () => undefined }), new WithText()]) {
    for (const refuse of [copyJson, jsonText]) {
      const error = thrownBy(() => refuse({ a: [value] }))
      t.match(error, { code: 'FST_IF_MATCH_NOT_JSON', message: /it has a method toJSON at \/a\/0\./ })
    }
  }
})

await t.test('jsonText: a text that JSON.stringify would write as it is, is refused', async (t) => {
  t.intercept(JSON, 'isRawJSON' as never, { value: (value: object) => 'rawJSON' in value, configurable: true })
  const raw = Object.assign(Object.create(null), { rawJSON: '1e400' }) as object
  t.match(thrownBy(() => jsonText([raw])), { code: 'FST_IF_MATCH_NOT_JSON' })
  t.equal(jsonText(Object.assign(Object.create(null), { a: 1 })), '{"a":1}')
})

await t.test('copyJson, jsonText: a getter that throws when it is read again is the mistake of the server, too', async (t) => {
  for (const refuse of [copyJson, jsonText]) {
    let reads = 0
    const value = { get due () { if (++reads > 1) throw new Error('secret'); return 1 } }
    t.match(thrownBy(() => refuse(value)), { code: 'FST_IF_MATCH_NOT_JSON' })
  }
})

await t.test('copyJson: __proto__ is a property like any other, and changes no prototype', async (t) => {
  const copy = copyJson(JSON.parse('{"__proto__":{"polluted":true},"a":1}'))
  t.strictSame(Object.keys(copy), ['__proto__', 'a'])
  t.equal(Object.getPrototypeOf(copy), Object.prototype)
  t.equal(copy.polluted, undefined)
  t.strictSame(Object.getOwnPropertyDescriptor(copy, '__proto__'), {
    value: { polluted: true },
    configurable: true,
    enumerable: true,
    writable: true
  })
})

await t.test('copyJson: objects without a prototype, or of another realm, are plain', async (t) => {
  t.strictSame(copyJson(Object.assign(Object.create(null), { a: 1 })), { a: 1 })
  t.strictSame(copyJson(runInNewContext('({ a: [1, { b: 2 }] })')), { a: [1, { b: 2 }] })
})

class Offer { title = 'a' }

function thrownBy (run: () => unknown): Error & { code?: string, cause?: unknown } {
  try {
    run()
  } catch (error) {
    return error as Error
  }
  throw new Error('nothing was thrown')
}

function circle (): unknown {
  const value = { title: 'a', lines: [{ offer: {} }] }
  value.lines[0]!.offer = value
  return value
}

const unreadable = {
  get due () { throw new Error('the row is detached') }
}

/** What a client cannot send, so the server made it: what the message says of it. */
const mistakes: Record<string, [value: unknown, says: string]> = {
  undefined: [undefined, 'it is undefined.'],
  NaN: [NaN, 'it is NaN.'],
  'a function': [() => {}, 'it is a function.'],
  'a symbol': [Symbol('secret'), 'it is a symbol.'],
  'a BigInt': [{ price: 71n }, 'it has a BigInt at /price.'],
  'a Date': [{ lines: [{ due: new Date(0) }] }, 'it has a Date at /lines/0/due.'],
  'a Date that is invalid': [new Date(NaN), 'it is a Date.'],
  'a Date of another realm': [[runInNewContext('new Date(0)')], 'it has a Date at /0.'],
  'a Map': [new Map([['secret', 1]]), 'it is a Map.'],
  'an Error': [{ a: new Error('secret') }, 'it has an Error at /a.'],
  'a Promise': [{ a: Promise.resolve(1) }, 'it has a Promise at /a.'],
  'a Buffer': [{ a: Buffer.from('secret') }, 'it has a Buffer at /a.'],
  'a typed array': [{ a: new Float64Array(1) }, 'it has a Float64Array at /a.'],
  'a boxed text': [Object('secret'), 'it is a String.'],
  'a boxed number': [{ a: Object(1) }, 'it has a Number at /a.'],
  'an instance of a class': [[new Offer()], 'it has an Offer at /0.'],
  'an instance of a class without a name': [new (class {})(), 'it is an object with a class of its own.'],
  'an instance of a class whose name is none': [
    new (class { static name = 'a secret' })(), 'it is an object with a class of its own.'
  ],
  'an instance whose class cannot be asked': [
    new (class { static get name (): string { throw new Error('secret') } })(),
    'it is an object with a class of its own.'
  ],
  'an object that inherits from a plain one': [Object.create({ a: 1 }), 'it is an object with a class of its own.'],
  'an object that inherits what a client sent': [
    Object.create({ constructor: { name: 'secret' } }), 'it is an object with a class of its own.'
  ],
  'an object with toJSON': [{ a: { toJSON: () => 1 } }, 'it has a function at /a/toJSON.'],
  'an array with a hole': [{ a: Object.assign([1], { 2: 2 }) }, 'it has undefined at /a/1.'],
  'an array of holes': [new Array(2 ** 32 - 1), 'it has undefined at /0.'],
  'an array with undefined': [[1, undefined], 'it has undefined at /1.'],
  'NaN deep inside': [{ a: [{ b: NaN }] }, 'it has NaN at /a/0/b.'],
  'a BigInt under __proto__': [
    Object.defineProperty({}, '__proto__', { value: 1n, enumerable: true }), 'it has a BigInt at /__proto__.'
  ],
  'a circle': [circle(), 'it has an object that is inside itself at /lines/0/offer.'],
  'a getter that throws': [[unreadable], 'it has something that cannot be read at /0/due.'],
  'a Proxy that is revoked': [(() => {
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    return { a: proxy }
  })(), 'it has something that cannot be read at /a.'],
  'a Proxy of an array that is revoked': [(() => {
    const { proxy, revoke } = Proxy.revocable([], {})
    revoke()
    return proxy
  })(), 'it is something that cannot be read.'],
  'a Proxy with a trap that throws': [
    { a: new Proxy({}, { ownKeys: () => { throw new Error('secret') } }) },
    'it has something that cannot be read at /a.'
  ]
}

for (const [name, [value, says]] of Object.entries(mistakes)) {
  await t.test(`copyJson, jsonText: ${name} is the server's mistake, and the message says where it is and never what it holds`, async (t) => {
    for (const refuse of [copyJson, jsonText]) {
      const error = thrownBy(() => refuse(value))
      t.match(error, { code: 'FST_IF_MATCH_NOT_JSON', statusCode: 500 })
      t.ok(error.message.includes(`: ${says} `), error.message)
      t.notMatch(error.message, /secret|71/)
    }
  })
}

await t.test('copyJson: the error of a getter is the cause of ours', async (t) => {
  const cause = { message: 'the row is detached' }
  t.match(thrownBy(() => copyJson(unreadable)), { code: 'FST_IF_MATCH_NOT_JSON', cause })
  t.equal(thrownBy(() => copyJson(1n)).cause, undefined)
})

await t.test('copyJson: what a client can send is INVALID_VALUE, with the place: numbers that are too large, too many levels', async (t) => {
  const sent: Array<[json: string, says: string]> = [
    ['1e400', 'it is an infinite number.'],
    ['[{"price":-1e400}]', 'it has an infinite number at /0/price.'],
    [`${'['.repeat(513)}${']'.repeat(513)}`, `it has more than 512 levels at ${'/0'.repeat(50)}…${'/0'.repeat(50)}.`]
  ]
  for (const [json, says] of sent) {
    const error = thrownBy(() => copyJson(JSON.parse(json)))
    t.match(error, { code: 'FST_IF_MATCH_INVALID_VALUE', statusCode: 422 })
    t.ok(error.message.includes(says), error.message)
  }
})

await t.test('copyJson: 512 levels are accepted; an object that occurs twice, and not inside itself, does not count as a circle', async (t) => {
  t.doesNotThrow(() => copyJson(nested(512)))
  const shared = { a: 1 }
  t.throws(() => copyJson([shared, [shared], nested(512)]), { code: 'FST_IF_MATCH_INVALID_VALUE' })
  const chain = [{}, {}, {}].map((link) => link as Record<string, unknown>)
  for (const [index, link] of chain.entries()) link[`to${index}`] = chain[(index + 1) % 3]
  t.throws(() => copyJson({ chain: chain[0] }), {
    code: 'FST_IF_MATCH_NOT_JSON',
    message: /it has an object that is inside itself at \/chain\/to0\/to1\/to2\./
  })
})

await t.test('copyJson: the place is a JSON Pointer (RFC 6901 3) without control characters, and of bounded length', async (t) => {
  const places: Array<[names: string[], pointer: string]> = [
    [['a/b', 'c~d', '', ' ', '%s', 'größe'], '/a~1b/c~0d//%20/%s/größe'.replace('%20', ' ')],
    [['a\r\n\0b', '\u001b[31m', '\u2028', '\u202e', '\ud800', '\u{1f600}'], '/a???b/?[31m/?/?/?/\u{1f600}'],
    [['x'.repeat(64)], `/${'x'.repeat(64)}`],
    [['x'.repeat(10_000), 'y'], `/${'x'.repeat(64)}…/y`],
    [[`${'x'.repeat(63)}\u{1f600}`], `/${'x'.repeat(63)}?…`],
    [Array.from({ length: 100 }, () => 'ab'), `${'/ab'.repeat(33)}/…${'/ab'.repeat(34).slice(-100)}`]
  ]
  for (const [names, pointer] of places) {
    const value = names.reduceRight<unknown>((inner, name) => ({ [name]: inner }), NaN)
    const error = thrownBy(() => copyJson(value))
    t.ok(error.message.includes(`it has NaN at ${pointer}. `), error.message)
  }
})

await t.test('copyRead: any flaw of a value that was read is the server\'s, and the message says who made it', async (t) => {
  t.strictSame(copyRead({ a: [1], b: undefined }, 'what toValue made'), { a: [1] })
  for (const value of [new Date(0), undefined, Infinity, nested(513)]) {
    t.throws(() => copyRead(value, 'what toValue made'), {
      code: 'FST_IF_MATCH_NOT_JSON',
      statusCode: 500,
      message: /: what toValue made (is|has) /
    })
  }
})

await t.test('copyOfJson: a copy of what copyJson made is equal, and shares no object with it', async (t) => {
  const scalars = [null, true, '', 'a', 0, 0.1]
  for (const value of scalars) t.equal(copyOfJson(value), value)
  const value = copyJson({ a: [1, 'b', null, { c: [] }], d: {}, e: null, '': { f: { g: 1 } } })
  const copy = copyOfJson(value)
  t.strictSame(copy, value)
  t.not(copy, value)
  t.not(copy.a, value.a)
  t.not(copy.a[3], value.a[3])
  t.not(copy.d, value.d)
  t.not(copy[''].f, value[''].f)
})

await t.test('copyOfJson: __proto__ is a property like any other, and changes no prototype', async (t) => {
  const value = copyJson(JSON.parse('{"__proto__":{"polluted":{}},"a":1}'))
  const copy = copyOfJson(value)
  t.strictSame(JSON.stringify(copy), JSON.stringify(value))
  t.equal(copy.polluted, undefined)
  const protoOf = (object: object): unknown => Object.getOwnPropertyDescriptor(object, '__proto__')!.value
  t.not(protoOf(copy), protoOf(value))
})

await t.test('jsonText: the text of a value that copyJson accepts; a value that is too long for a text is refused', async (t) => {
  t.equal(jsonText({ a: [1, 'b', null], c: undefined }), '{"a":[1,"b",null]}')
  t.equal(jsonText(-0), '0')
  // Each control character takes six characters in JSON, and V8 allows no text of that length.
  t.throws(() => jsonText('\u0001'.repeat(100_000_000)), { code: 'FST_IF_MATCH_INVALID_VALUE', message: /longer/ })
})
