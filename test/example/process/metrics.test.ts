import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { serveMetrics } from '../../../example/metrics/serve-metrics.js'
import { readSettings } from '../../../example/process/settings.js'
import { startMetrics } from '../../../example/process/start-metrics.js'
import { SettingError } from '../../../example/storage/setting-error.js'
import { scriptedRound } from '../../support/example/scripted-load.js'
import { put } from '../../support/example/server-client.js'
import { listen, listening, processes, start } from '../../support/example/server-process.js'
import { sharedSetting } from '../../support/example/storage.js'
import { until } from '../../support/until.js'

const OFFER = '/api/publishers/:publisherId/offers/:offerId'

/** Where the metrics of a server are. */
async function metricsOf ({ output }: ReturnType<typeof start>): Promise<string> {
  return (await output.says(/^Metrics: (.*)$/m))[1]!
}

/** Whether a process has ended, also while its parent has not looked. */
function hasDied (pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ')
  } catch {
    return true
  }
}

/** The samples of a page, by name and labels. */
async function samples (url: string): Promise<Record<string, number>> {
  const page = await (await fetch(url)).text()
  const lines = page.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return Object.fromEntries(lines.map((line) => {
    const end = line.lastIndexOf(' ')
    return [line.slice(0, end), Number(line.slice(end + 1))]
  }))
}

const requests = (method: string, strategy: string, outcome: string): string =>
  `if_match_requests_total{route="${OFFER}",method="${method}",strategy="${strategy}",outcome="${outcome}"}`

/** What one scripted round comes to. */
const ROUND: Record<string, number> = {
  [requests('PUT', 'create', 'applied')]: 1,
  [requests('PUT', 'create', 'exists')]: 1,
  [requests('GET', 'none', 'read')]: 1,
  [requests('GET', 'revalidation', 'not-modified')]: 1,
  [requests('PUT', 'tag', 'applied')]: 1,
  [requests('PUT', 'tag', 'mismatch')]: 1,
  [requests('PUT', 'wildcard', 'applied')]: 1,
  [requests('PUT', 'none', 'missing')]: 1,
  [requests('PUT', 'none', 'malformed')]: 1,
  [requests('GET', 'none', 'absent')]: 1,
  [requests('GET', 'none', 'declined')]: 1
}

const counted = (all: Record<string, number>): Record<string, number> =>
  Object.fromEntries(Object.entries(all).filter(([name]) => name.startsWith('if_match_requests_total')))

async function assertMetrics (t: Test, settings: Record<string, string>): Promise<void> {
  const server = start(t, { METRICS_PORT: '0', ...settings })
  const port = await listening(server)
  const url = await metricsOf(server)
  t.match(url, /^http:\/\/127\.0\.0\.1:\d+\/metrics$/)
  for (let round = 0; round < 4; round++) await scriptedRound(port, round)
  const all = await samples(url)
  t.strictSame(counted(all), Object.fromEntries(Object.keys(ROUND).map((name) => [name, 4])))
  t.equal(all[`if_match_storage_seconds_count{route="${OFFER}",method="PUT"}`], 20)
  t.equal(all[`if_match_storage_seconds_bucket{le="+Inf",route="${OFFER}",method="PUT"}`], 20)
  t.ok(all.process_resident_memory_bytes! > 0, 'the metrics of the process')
  const text = JSON.stringify(all)
  t.notMatch(text, /contoso|offer-\d|Bearer/, 'neither keys nor tokens')
  t.equal((await fetch(`http://127.0.0.1:${port}/metrics`)).status, 404, 'not on the public address')
  const others = [['POST', '/metrics'], ['GET', '/'], ['GET', '/metrics/x']] as const
  for (const [method, path] of others) t.equal((await fetch(new URL(path, url), { method })).status, 404, path)
  t.equal((await fetch(`${url}?from=scraper`)).status, 200)
  t.match((await fetch(url, { method: 'HEAD' })).headers.get('content-type'), /^text\/plain; version=/)
  server.child.kill('SIGTERM')
  t.strictSame(await server.exit, [0, null], 'the connections of the scraper do not hold it')
}

await t.test('METRICS_PORT: outcomes by route, the latency of the storage and the process, on an address of their own', async (t) => {
  await assertMetrics(t, {})
})

await t.test('METRICS_PORT with WORKERS=2: the page adds up both processes, and asking for it stops none', async (t) => {
  await assertMetrics(t, { STORAGE: await sharedSetting(t), WORKERS: '2' })
})

await t.test('METRICS_PORT with WORKERS=2: a worker that dies while it is asked ends the server by its rules, not by an error of the primary', async (t) => {
  const server = start(t, { METRICS_PORT: '0', STORAGE: await sharedSetting(t), WORKERS: '2' })
  const port = await listening(server)
  await put(port, 'tide-db')
  const { port: metrics } = new URL(await metricsOf(server))
  const socket = connect(Number(metrics), '127.0.0.1')
  t.teardown(() => { socket.destroy() })
  socket.on('error', () => {})
  const answers = listen(socket)
  const ask = async (): Promise<void> => {
    await new Promise((resolve) => { socket.write('GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n', resolve) })
  }
  await ask()
  await answers.says(/if_match_requests_total/)
  // The primary stands still, so it finds the question ahead of the death of the one that it asks.
  server.child.kill('SIGSTOP')
  await ask()
  process.kill([...processes(server.log.text())][0]!, 'SIGKILL')
  await until('the death', () => hasDied([...processes(server.log.text())][0]!))
  server.child.kill('SIGCONT')
  t.strictSame(await server.exit, [1, null])
  t.match(server.log.text(), /^worker \d+ ended unasked \(code null, signal SIGKILL\), so the server stops$/m)
  t.notMatch(server.log.text(), 'EPIPE')
})

await t.test('METRICS_PORT: a port of the API that another address has is free for it', (t) => {
  const env = { METRICS_PORT: '3000', PORT: '3000', METRICS_HOST: '::1' }
  t.strictSame(readSettings(env).metrics, { host: '::1', port: 3000 })
  for (const host of ['127.0.0.1', '0.0.0.0', '::']) {
    t.throws(() => readSettings({ ...env, METRICS_HOST: host }), /^METRICS_PORT accepts another port/, host)
  }
  for (const host of ['0.0.0.0', '::']) {
    t.throws(() => readSettings({ ...env, HOST: host, TOKENS: 'secret=contoso:owner' }), /another port/, host)
  }
  t.strictSame(readSettings({ ...env, METRICS_PORT: '0', PORT: '0', METRICS_HOST: '127.0.0.1' }).metrics?.port, 0)
  t.end()
})

await t.test('METRICS_PORT is off by default: nothing else listens, and the start names no page', async (t) => {
  const server = start(t)
  await put(await listening(server), 'tide-db')
  t.notMatch(server.output.text(), 'Metrics')
  t.equal(await startMetrics({ metrics: undefined }, () => { throw new Error('measured') }), undefined)
})

await t.test('METRICS_PORT: a port in use and a host that is not here end the start with one line', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1')
  t.teardown(() => { taken.close() })
  await once(taken, 'listening')
  const { port } = taken.address() as AddressInfo
  const server = start(t, { METRICS_PORT: String(port) })
  t.strictSame(await server.exit, [1, null])
  t.match(server.log.text(), /^METRICS_PORT names a port that another process listens on: [^\n]*\n$/)
  t.equal(server.output.text(), '')
  const none = { contentType: '', text: async () => '' }
  const error = await startMetrics({ metrics: { host: '192.0.2.1', port: 0 } }, () => none).catch((error) => error)
  t.type(error, SettingError)
  t.match(error.message, /^METRICS_HOST names an address that this machine does not have/)
})

await t.test('a page that cannot be made is 503, and an address of IPv6 has its brackets', async (t) => {
  let fails = true
  const text = async (): Promise<string> => {
    if (fails) throw new Error('Operation timed out.')
    return 'up 1\n'
  }
  const { url, server } = await serveMetrics({ host: '127.0.0.1', port: 0 }, { contentType: 'text/plain', text })
  t.teardown(() => { server.close() })
  t.equal((await fetch(url)).status, 503)
  fails = false
  t.equal(await (await fetch(url)).text(), 'up 1\n')
  const six = await serveMetrics({ host: '::1', port: 0 }, { contentType: 'text/plain', text }).catch(() => undefined)
  t.teardown(() => { six?.server.close() })
  if (six !== undefined) t.equal(await until('the page', async () => await (await fetch(six.url)).text()), 'up 1\n')
})
