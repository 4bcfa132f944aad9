import t from 'tap'
import { tokensOf } from '../../../lib/key/entity-key.js'
import { compileShape, decode, parametersIn } from '../../../lib/key/shape.js'

await t.test('shape: what stands in a key for the parameters, still encoded, in whatever spelling', async (t) => {
  const cases: Array<[pattern: string, key: string, texts: string[] | undefined]> = [
    ['/a/:x/b/:y', '/a/%2f/b/', ['%2f', '']],
    ['/a/:x', '/a/%', ['%']],
    ['/a/:x', '/a/1/2', undefined],
    ['/a/:x', '/b/1', undefined],
    ['/a/*', '/a/1/\n2', ['1/\n2']],
    ['/a/:x.json', '/a/1xjson', undefined],
    ['/a|b/:x', '/a|b/1', ['1']],
    ['/a/:x(^\\d+$)', '/a/12', ['12']],
    ['/a/:x(^\\d+$)', '/a/', undefined],
    ['/a/:x(^/$)?', '/a/%2F', ['%2F']],
    ['/a/:x(^/$)?', '/a/', ['']],
    ['/a/:x(^/$)?', '/a/b', undefined],
    ['/a/:x(^%$)', '/a/%', ['%']],
    ['/a', '/a', []]
  ]
  for (const [pattern, key, texts] of cases) {
    t.strictSame(compileShape(tokensOf(pattern))(key), texts, `${pattern} ${key}`)
  }
  t.throws(() => compileShape(tokensOf('/a/:x([)')), SyntaxError)
  t.strictSame(parametersIn(tokensOf('/a/:x(b)?')), [{ parameter: 'x', isOptional: true, regExp: '(b)' }])
  t.strictSame([decode('%2F'), decode('%')], ['/', undefined])
})
