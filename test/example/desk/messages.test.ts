import t from 'tap'
import { en } from '../../../example/desk/page/messages/en.js'
import { messagesOf, translator } from '../../../example/desk/page/messages/translate.js'
import { chooseLanguage, LANGUAGES, type Language } from '../../../example/desk/page/model/language.js'

const TAGS = Object.keys(LANGUAGES) as Language[]

await t.test('messages: each language has the same messages with the same places, and none is empty', async (t) => {
  const places = (text: string): string[] => (text.match(/\{\w+\}/g) ?? []).sort()
  for (const tag of TAGS) {
    const messages = await messagesOf(tag)
    t.strictSame(Object.keys(messages), Object.keys(en), tag)
    for (const [key, text] of Object.entries(messages)) {
      t.strictSame(places(text), places(en[key as keyof typeof en]), `${tag}: ${key}`)
      t.match(text, /\S/, `${tag}: ${key}`)
    }
  }
})

await t.test('messages: a sentence of English is in no other language', async (t) => {
  const sentences = Object.entries(en).filter(([, text]) => / .* .* /.test(text))
  for (const tag of TAGS.filter((tag) => tag !== 'en')) {
    const messages = await messagesOf(tag)
    t.strictSame(sentences.filter(([key, text]) => messages[key as keyof typeof en] === text), [], tag)
  }
})

await t.test('messages: values stand in their places, and what they hold is no place', async (t) => {
  const say = translator(await messagesOf('en'))
  t.equal(say('offersOf', { publisher: '{publisher} $&' }), 'Offers of {publisher} $&')
  t.equal(say('offersOf'), 'Offers of {publisher}')
})

await t.test('language: the choice counts, then the preferences in their order, then English', async (t) => {
  t.equal(chooseLanguage(undefined, ['fr-FR', 'de-AT', 'sv']), 'de')
  t.equal(chooseLanguage('id', ['de']), 'id')
  t.equal(chooseLanguage('xx', ['sv-FI']), 'sv')
  t.equal(chooseLanguage(null, []), 'en')
  t.equal(chooseLanguage('toString', ['constructor']), 'en')
})

await t.test('messages: after a lost answer none says that nothing was saved: the write may still arrive (RFC 9110 9.2.2)', async (t) => {
  const soFar = { en: 'so far', de: 'bisher', id: 'sejauh ini', sv: 'hittills' }
  for (const tag of TAGS) t.match((await messagesOf(tag)).notSavedAfterLoss, soFar[tag], tag)
})
