import t from 'tap'
import { flawOfDraft, flawOfImages } from '../../../example/offers/publishable.js'
import type { OfferContent } from '../../../example/offers/record.js'

const TYPE = 'microsoft-azure-virtualmachines'
const VM = 'microsoft-azure-virtualmachines.vmImages'
const COREVM = 'microsoft-azure-corevm.vmImagesPublicAzure'
const GOOD = { osVhdUrl: 'https://images.example/tide.vhd?sig=a%2Fb' }

/** An offer with this definition, which may be odder than the schema of a PUT allows. */
function contentOf (definition: unknown): OfferContent {
  return { offerTypeId: TYPE, definition } as OfferContent
}

/** An offer of one plan with these fields. */
function planOf (fields: Record<string, unknown>): OfferContent {
  return contentOf({ displayText: 'Tide DB', plans: [{ planId: 'small', ...fields }] })
}

await t.test('a name and a plan are all that publish needs (reading 19)', async (t) => {
  t.equal(flawOfDraft(planOf({})), undefined)
  const plans = [{ planId: 'a' }, { planId: 'A' }, { planId: '' }]
  t.equal(flawOfDraft(contentOf({ displayText: ' x ', plans })), undefined)
})

await t.test('a missing name or plan is told, the name first (reading 19)', async (t) => {
  const plans = [{ planId: 'small' }]
  const nameless = [undefined, {}, { plans }, { displayText: '', plans }, { displayText: ' \t\n\u00a0', plans }]
  for (const definition of nameless) {
    t.match(flawOfDraft(contentOf(definition)), /^definition\/displayText is empty/)
  }
  for (const definition of [{ displayText: 'x' }, { displayText: 'x', plans: [] }]) {
    t.match(flawOfDraft(contentOf(definition)), /^definition\/plans is empty/)
  }
})

await t.test('no plan twice: the first repetition is told (reading 19)', async (t) => {
  const plans = ['a', 'b', 'c', 'b', 'a'].map((planId) => ({ planId }))
  t.equal(flawOfDraft(contentOf({ displayText: 'x', plans })), 'definition/plans has the plan "b" twice')
  for (const name of ['__proto__', 'constructor', 'toString']) {
    t.equal(flawOfDraft(contentOf({ displayText: 'x', plans: [{ planId: name }] })), undefined, name)
    t.match(flawOfDraft(contentOf({ displayText: 'x', plans: [{ planId: name }, { planId: name }] })), /twice/, name)
  }
})

await t.test('each plan is looked at once, as many as a document can hold', async (t) => {
  let looks = 0
  const plans = Array.from({ length: 60_000 }, (_, index) => ({
    get planId () {
      looks++
      return `p${index}`
    }
  }))
  t.equal(flawOfDraft(contentOf({ displayText: 'x', plans })), undefined)
  t.equal(looks, plans.length)
})

await t.test('images of both types of offers pass with an https address', async (t) => {
  for (const map of [VM, COREVM]) {
    const loud = { osVhdUrl: 'HTTPS://IMAGES.EXAMPLE/a.vhd', lunVhdDetails: [] }
    t.equal(flawOfImages(planOf({ [map]: { '1.0.0': GOOD, '1.0.1': loud } })), undefined)
    t.equal(flawOfImages(planOf({ [map]: {} })), undefined)
  }
  for (const content of [contentOf(undefined), contentOf({}), contentOf({ plans: [] }), planOf({})]) {
    t.equal(flawOfImages(content), undefined)
  }
})

await t.test('an image without an https address is rejected, and its version and plan are told (reading 19)', async (t) => {
  const wrong = [
    'http://images.example/a.vhd',
    'ftp://images.example/a.vhd',
    '',
    'https',
    'https:',
    'https:/images.example',
    'https://',
    'https:// ',
    'https://a b/',
    'https://[/',
    'https://a:port/',
    ' https://images.example/a.vhd',
    '//images.example/a.vhd',
    'xhttps://images.example/a.vhd',
    'data:,https://',
    undefined,
    null,
    5,
    true,
    {},
    [],
    ['https://images.example/a.vhd'],
    { href: 'https://images.example/a.vhd' }
  ]
  for (const map of [VM, COREVM]) {
    for (const osVhdUrl of wrong) {
      t.equal(
        flawOfImages(planOf({ [map]: { '1.0.0': GOOD, '1.0.1': { osVhdUrl } } })),
        'The image 1.0.1 of the plan "small" cannot be fetched: its osVhdUrl is no https address.',
        `${map}: ${JSON.stringify(osVhdUrl)}`
      )
    }
  }
})

await t.test('of a name as long as a document, the beginning is told', async (t) => {
  const name = 'x'.repeat(1e5)
  const told = `${'x'.repeat(100)}…`
  t.equal(
    flawOfImages(contentOf({ plans: [{ planId: name, [VM]: { [name]: {} } }] })),
    `The image ${told} of the plan "${told}" cannot be fetched: its osVhdUrl is no https address.`
  )
  t.equal(
    flawOfDraft(contentOf({ displayText: 'x', plans: [{ planId: name }, { planId: name }] })),
    `definition/plans has the plan "${told}" twice`
  )
})

await t.test('the images of every plan and of both maps are checked, in their order', async (t) => {
  const bad = { osVhdUrl: 'http://images.example' }
  t.match(flawOfImages(planOf({ [VM]: { '1.0.0': GOOD }, [COREVM]: { '2.0.0': bad } })), /image 2\.0\.0 /)
  const plans = [
    { planId: 'a', [VM]: { '1.0.0': GOOD } },
    { planId: 'b', [VM]: { '1.0.1': bad } },
    { planId: 'c', [VM]: { '1.0.2': bad } }
  ]
  t.match(flawOfImages(contentOf({ plans })), /image 1\.0\.1 of the plan "b"/)
})

await t.test('odd shapes in place of images never throw: no map has no images, and no image is rejected', async (t) => {
  for (const map of [VM, COREVM]) {
    for (const none of [null, 0, 5, true, '', 'text', [], {}]) {
      t.equal(flawOfImages(planOf({ [map]: none })), undefined, JSON.stringify(none))
    }
    for (const image of [null, 0, true, 'https://images.example', [], {}, [[]]]) {
      t.match(flawOfImages(planOf({ [map]: { '1.0.0': image } })), /^The image 1\.0\.0 /, JSON.stringify(image))
    }
    for (const name of ['constructor', 'toString', 'hasOwnProperty', '']) {
      t.equal(flawOfImages(planOf({ [map]: { [name]: GOOD } })), undefined, name)
      t.match(flawOfImages(planOf({ [map]: { [name]: {} } })), /no https address/, name)
    }
  }
})
