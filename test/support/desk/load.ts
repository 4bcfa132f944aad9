import type { AddressInfo } from 'node:net'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { chromium, type BrowserContext } from 'playwright-core'
import { buildApp } from '../../../example/app/index.js'
import { DEVELOPMENT_TOKENS, parseTokens } from '../../../example/app/tokens.js'
import { offersUrl } from '../example/app.js'
import { findProgram } from '../services/programs.js'

// Measures how the page loads for a person who is signed in, up to the list of offers: the first time, with nothing in
// the cache of the browser, and once more. Bytes are those of the wire, with the headers of answers.

const VISITS = 5

interface Network { name: string, latency: number, mbits: number }
const NETWORKS: Network[] = [
  { name: 'this machine', latency: 0, mbits: 0 },
  { name: '40 ms, 10 Mbit/s', latency: 40, mbits: 10 }
]

const app = await buildApp({ storage: memoryAdapter(), tokens: parseTokens(DEVELOPMENT_TOKENS) })
for (const id of ['kelp-cache', 'reef-db', 'tide-queue']) {
  const headers = { authorization: 'Bearer dev-contoso', 'if-match': '*' }
  const payload = { offerTypeId: 'microsoft-azure-virtualmachines', definition: { displayText: id } }
  await app.inject({ method: 'PUT', url: offersUrl(`/${id}`), headers, payload })
}
await app.listen({ host: '127.0.0.1', port: 0 })
const address = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}/`
const browser = await chromium.launch({
  executablePath: findProgram('chromium')!, args: ['--no-sandbox', '--disable-dev-shm-usage']
})

/** Loads the page in a window of its own. */
async function visit (context: BrowserContext, { latency, mbits }: Network) {
  const page = await context.newPage()
  const devtools = await context.newCDPSession(page)
  await devtools.send('Network.enable')
  const throughput = mbits === 0 ? -1 : mbits * 1024 * 1024 / 8
  await devtools.send('Network.emulateNetworkConditions', {
    offline: false, latency, downloadThroughput: throughput, uploadThroughput: throughput
  })
  let requests = 0
  let bytes = 0
  const fromCache = new Set<string>()
  devtools.on('Network.requestServedFromCache', ({ requestId }) => { fromCache.add(requestId) })
  devtools.on('Network.responseReceived', ({ requestId, response }) => {
    if (response.fromDiskCache === true) fromCache.add(requestId)
  })
  devtools.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    if (fromCache.has(requestId)) return
    requests++
    bytes += encodedDataLength
  })
  await page.goto(address, { waitUntil: 'commit' })
  await page.locator('tbody a').first().waitFor()
  const milliseconds = await page.evaluate('performance.now()') as number
  await page.waitForLoadState('networkidle')
  await page.close()
  return { requests, bytes, milliseconds }
}

/** The value in the middle. */
function median (values: number[]): number {
  return values.sort((one, other) => one - other)[Math.floor(values.length / 2)]!
}

function show (network: Network, which: string, visits: Array<Awaited<ReturnType<typeof visit>>>): void {
  const [requests, bytes, milliseconds] = (['requests', 'bytes', 'milliseconds'] as const)
    .map((name) => median(visits.map((visit) => visit[name])))
  const kilobytes = (bytes! / 1000).toFixed(1)
  console.log(`| ${network.name} | ${which} | ${requests} | ${kilobytes} KB | ${Math.round(milliseconds!)} ms |`)
}

console.log('| network | visit | requests | over the wire | until the list |\n| --- | --- | --- | --- | --- |')
for (const network of NETWORKS) {
  const [first, again]: [Array<Awaited<ReturnType<typeof visit>>>, Array<Awaited<ReturnType<typeof visit>>>] = [[], []]
  for (let count = 0; count < VISITS; count++) {
    const context = await browser.newContext({ locale: 'en-GB' })
    await context.addInitScript({ content: "sessionStorage.setItem('desk.token', 'dev-contoso')" })
    first.push(await visit(context, network))
    again.push(await visit(context, network))
    await context.close()
  }
  show(network, 'the first', first)
  show(network, 'another', again)
}
await browser.close()
await app.close()
