import { generateSource } from 'oazapfts'
import { readFileSync, writeFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import t, { type Test } from 'tap'
import ts from 'typescript'
import { newApp, OFFER } from '../../support/example/app.js'
import { withEachStorage } from '../../support/example/storage.js'
import type { Answer, OffersClient } from '../../support/offers-client.js'

const STEP = 1000
const SIGN_OFF = 4 * STEP
const offer = { apiVersion: '2017-10-31', publisherId: 'contoso', offerId: 'tide-db' }

/** Writes the client that oazapfts makes of a document into a folder of the checkout, where its imports resolve. */
async function generate (t: Test, document: string): Promise<string> {
  const folder = t.testdir({ 'openapi.json': document })
  const source = await generateSource(join(folder, 'openapi.json'), { argumentStyle: 'object' })
  writeFileSync(join(folder, 'client.ts'), source)
  return folder
}

/** Compiles and loads that client. */
async function load (folder: string): Promise<OffersClient> {
  const file = join(folder, 'client.js')
  const { outputText } = ts.transpileModule(readFileSync(join(folder, 'client.ts'), 'utf8'), {
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023 }
  })
  writeFileSync(file, outputText)
  return await import(pathToFileURL(file).href)
}

/** What the compiler says about a file that runs in a browser, under the rules of this repository. */
function diagnose (file: string): string[] {
  const { config } = ts.readConfigFile('tsconfig.json', ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, '.')
  const program = ts.createProgram([file], {
    ...options,
    types: [],
    lib: [...options.lib!, 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
    // The types of the client's runtime do not know this rule.
    exactOptionalPropertyTypes: false
  })
  const host: ts.FormatDiagnosticsHost = {
    getCanonicalFileName: (name) => name,
    getCurrentDirectory: () => '.',
    getNewLine: () => '\n'
  }
  return ts.getPreEmitDiagnostics(program).map((diagnostic) => ts.formatDiagnostic(diagnostic, host))
}

await t.test('a client generated from the document compiles under strict, and has the functions that the test below uses', async (t) => {
  const folder = await generate(t, (await (await newApp(t)).inject('/docs/json')).body)
  const helper = relative(folder, resolve('test/support/offers-client.js'))
  writeFileSync(join(folder, 'use.ts'), `
    import * as client from './client.js'
    import type { OffersClient } from '${helper}'
    client satisfies OffersClient
    const offer = { apiVersion: '2017-10-31', publisherId: 'contoso', offerId: 'tide-db' }
    // @ts-expect-error publish, golive and cancel demand If-Match
    void client.publishOffer(offer)
    // @ts-expect-error a document has a type
    void client.putOffer({ ...offer, offerDocument: {} })
  `)
  t.strictSame(diagnose(join(folder, 'use.ts')), [])
})

/** The id of the operation that an answer points to. */
function operationOf (t: Test, { status, headers }: Answer<unknown>): string {
  t.equal(status, 202)
  return new URL(headers.get('operation-location')!, 'http://localhost').pathname.split('/').at(-1)!
}

/** The tag of an answer. */
function tagOf ({ headers }: Answer<unknown>): string {
  return headers.get('etag')!
}

await withEachStorage(t, 'the generated client creates, edits, publishes and goes live', async (t, storage) => {
  let now = Date.UTC(2026, 0, 1)
  const app = await newApp(t, { storage, clock: () => now, stepMs: STEP })
  const baseUrl = await app.listen({ host: '127.0.0.1', port: 0 })
  const client = await load(await generate(t, await (await fetch(`${baseUrl}/docs/json`)).text()))
  Object.assign(client.defaults, { baseUrl, headers: { Authorization: 'Bearer contoso-token', Connection: 'close' } })
  const named = (displayText: string) => ({ ...OFFER, definition: { ...OFFER.definition, displayText } })

  t.match(await client.putOffer({ ...offer, offerDocument: OFFER }), {
    status: 400,
    data: { error: { code: 'MissingIfMatch' } }
  })
  t.match(await client.putOffer({ ...offer, ifNoneMatch: '*', offerDocument: OFFER }), {
    status: 201,
    data: { status: 'neverPublished', version: 0 }
  })
  const mine = await client.getOffer(offer)
  t.match(mine, { status: 200, data: OFFER })
  t.match(await client.getOffer({ ...offer, ifNoneMatch: tagOf(mine) }), { status: 304 })

  const edited = await client.putOffer({ ...offer, ifMatch: tagOf(mine), offerDocument: named('by the first') })
  t.match(edited, { status: 200, data: { definition: { displayText: 'by the first' } } })
  const refused = await client.putOffer({ ...offer, ifMatch: tagOf(mine), offerDocument: named('by the second') })
  t.match(refused, { status: 412, data: { error: { code: 'PreconditionFailed' } } })
  t.equal(tagOf(refused), tagOf(edited), 'with the current tag')
  const overwritten = await client.putOffer({ ...offer, ifMatch: '*', offerDocument: named('by the last') })
  t.match(overwritten, { status: 200, data: { definition: { displayText: 'by the last' } } })
  t.not(tagOf(overwritten), tagOf(edited))

  t.match(await client.publishOffer({ ...offer, ifMatch: tagOf(edited) }), { status: 412 })
  const published = await client.publishOffer({
    ...offer,
    ifMatch: tagOf(overwritten),
    body: { metadata: { 'notification-emails': 'jo@example.com' } }
  })
  const publication = { ...offer, operationId: operationOf(t, published) }
  t.match(await client.getOperation(publication), {
    status: 200,
    data: { status: 'running', publishingVersion: 1, notificationEmails: 'jo@example.com' }
  })
  t.match(await client.goLiveOffer({ ...offer, ifMatch: tagOf(published) }), {
    status: 400,
    data: { error: { code: 'NotWaitingForSignoff' } }
  })
  now += SIGN_OFF
  t.match(await client.getOfferStatus(offer), { status: 200, data: { status: 'waitingForPublisherReview' } })
  t.match(await client.getOfferSlot({ ...offer, slotId: 'Preview' }), {
    status: 200,
    data: { definition: { displayText: 'by the last' } }
  })

  t.match(
    await client.goLiveOffer({ ...offer, ifMatch: tagOf(published) }),
    { status: 412 },
    'the sign-off changed the offer, so its tag moved'
  )
  const live = await client.goLiveOffer({ ...offer, ifMatch: tagOf(await client.getOffer(offer)) })
  now += STEP
  t.match(await client.getOperation({ ...offer, operationId: operationOf(t, live) }), {
    status: 200,
    data: { status: 'complete' }
  })
  t.match(await client.getOfferSlot({ ...offer, slotId: 'Production' }), {
    status: 200,
    data: { version: 1, status: 'succeeded', definition: { displayText: 'by the last' } }
  })
  t.match(await client.getOfferSlot({ ...offer, slotId: 'Preview' }), {
    status: 404,
    data: { error: { code: 'SlotEmpty' } }
  })
  t.match(
    await client.cancelOffer({ ...offer, ifMatch: '*' }),
    { status: 200, data: { status: 'succeeded' } },
    'nothing to cancel'
  )
})
