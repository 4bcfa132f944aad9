import t from 'tap'
import { lettersApart, meantBy } from '../../../../lib/storage/kit/spelling.js'

await t.test('letters apart: one too many, missing, wrong, or two that changed places; case, dashes and underscores do not count', async (t) => {
  const pairs: Array<[name: string, other: string, letters: number]> = [
    ['ifMatch', 'if_MATCH', 0],
    ['If-Match', 'ifMatch', 0],
    ['if match', 'ifMatch', 0],
    ['ifMatc', 'ifMatch', 1],
    ['ifMatchh', 'ifMatch', 1],
    ['ifNatch', 'ifMatch', 1],
    ['fiMatch', 'ifMatch', 1],
    ['ifMathc', 'ifMatch', 1],
    ['ifMath', 'ifMatch', 1],
    ['match', 'ifMatch', 2],
    ['ifNoneMatch', 'ifMatch', 4],
    ['', 'abc', 3],
    ['abc', '', 3],
    ['kitten', 'sitting', 3]
  ]
  for (const [name, other, letters] of pairs) t.equal(lettersApart(name, other), letters, `${name}, ${other}`)
})

await t.test('the name that was meant is the nearest, if it is near for its length', async (t) => {
  const names = ['key', 'timeout', 'lockTimeout', 'list', 'lists']
  t.equal(meantBy('keys', names), 'key')
  t.equal(meantBy('kee', names), 'key')
  t.equal(meantBy('kit', names), undefined)
  t.equal(meantBy('timout', names), 'timeout')
  t.equal(meantBy('lock-timeout', names), 'lockTimeout')
  t.equal(meantBy('listss', names), 'lists', 'nearer than list')
  t.equal(meantBy('whatever', names), undefined)
})
