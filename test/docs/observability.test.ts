import { context, metrics, trace, type Span } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader
} from '@opentelemetry/sdk-metrics'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { Registry } from 'prom-client'
import t from 'tap'
import { countOutcomes } from '../../example/metrics/count-outcomes.js'
import { logRefusal } from './observability/log-refusals.js'
import { observeOutcomes } from './observability/open-telemetry.js'
import { countWithoutIfMatch } from './without-if-match.js'
import { offersApp, seed, send } from '../support/offers-app.js'
import { until } from '../support/until.js'

const STALE = { 'if-match': '"x"' }

await t.test('guide observability: prom-client counts outcomes by route, and measures the storage; no label has a key', async (t) => {
  const registry = new Registry()
  t.teardown(countOutcomes(registry))
  const { app, storage } = await offersApp(t, { missing: 'warn' })
  await seed(storage, 'k3y')
  await send(app, 'PUT /offers/k3y')
  await send(app, 'PUT /offers/k3y', STALE)
  await send(app, 'PUT /offers/k3y', STALE)
  await send(app, 'PUT /offers/k3y', { 'if-match': 'x' })
  const page = await registry.metrics()
  for (const line of [
    'if_match_requests_total{route="/offers/:id",method="PUT",strategy="none",outcome="applied"} 1',
    'if_match_requests_total{route="/offers/:id",method="PUT",strategy="tag",outcome="mismatch"} 2',
    'if_match_requests_total{route="/offers/:id",method="PUT",strategy="none",outcome="malformed"} 1',
    'if_match_let_through_total{route="/offers/:id",method="PUT"} 1',
    'if_match_storage_seconds_count{route="/offers/:id",method="PUT"} 3'
  ]) t.ok(page.includes(`${line}\n`), line)
  t.notMatch(page, 'k3y')
})

await t.test('guide observability: the counters of prom-client begin once a registry, and again when they have ended', async (t) => {
  const registry = new Registry()
  const end = countOutcomes(registry)
  t.throws(() => countOutcomes(registry), /already been registered/)
  const { app, storage } = await offersApp(t)
  await seed(storage)
  await send(app, 'PUT /offers/1')
  t.match(await registry.metrics(), /outcome="missing"} 1\n/, 'the call that failed counts nothing')
  end()
  t.equal(await registry.metrics(), '\n')
  t.teardown(countOutcomes(registry))
  await send(app, 'PUT /offers/1')
  t.match(await registry.metrics(), /outcome="missing"} 1\n/)
})

await t.test('guide observability: OpenTelemetry counts outcomes, measures the storage, and the span of the request has an event', async (t) => {
  const spans = new InMemorySpanExporter()
  const tracers = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] })
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })
  context.setGlobalContextManager(new AsyncLocalStorageContextManager())
  metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }))
  t.teardown(observeOutcomes())
  const begun = new WeakMap<object, Span>()
  const { app, storage } = await offersApp(t, {}, (app) => {
    // As instrumentation of HTTP does.
    app.addHook('onRequest', (request, reply, done) => {
      const span = tracers.getTracer('test').startSpan('request')
      begun.set(request, span)
      reply.raw.once('close', () => { span.end() })
      context.with(trace.setSpan(context.active(), span), done)
    })
  })
  await seed(storage)
  await send(app, 'PATCH /offers/1', { 'if-match': '*' })
  await send(app, 'PUT /offers/1', STALE)
  await until('two spans', () => spans.getFinishedSpans().length === 2)
  t.match(spans.getFinishedSpans().map(({ events }) => events.map(({ name, attributes }) => ({ name, attributes }))), [
    [{ name: 'if-match', attributes: { 'if_match.outcome': 'applied', 'if_match.attempts': 1 } }],
    [{ name: 'if-match', attributes: { 'if_match.outcome': 'mismatch', 'if_match.strategy': 'tag' } }]
  ])
  await reader.forceFlush()
  const found = exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics).flatMap(({ metrics }) => metrics)
  const points = (name: string) => found.find(({ descriptor }) => descriptor.name === name)!.dataPoints
  const where = { 'http.route': '/offers/:id', 'http.request.method': 'PATCH' }
  t.match(points('if_match.requests').map(({ attributes, value }) => ({ attributes, value })), [
    { attributes: { ...where, 'if_match.outcome': 'applied', 'if_match.strategy': 'wildcard' }, value: 1 },
    { attributes: { 'if_match.outcome': 'mismatch' }, value: 1 }
  ])
  t.match(points('if_match.storage.duration').map(({ attributes, value }) => ({ attributes, value })), [
    { attributes: where, value: { count: 1 } },
    { attributes: { 'http.request.method': 'PUT' }, value: { count: 1 } }
  ])
  await reader.shutdown()
})

await t.test('guide observability: onRefused logs a line for each refusal, with the id of the request', async (t) => {
  const lines: string[] = []
  const logger = { level: 'info', stream: { write: (line: string) => { lines.push(line) } } }
  const { app, storage } = await offersApp(t, { onRefused: logRefusal }, undefined, { logger })
  await seed(storage)
  await send(app, 'PUT /offers/1', STALE)
  const line = await until('the line', () => lines.map((text) => JSON.parse(text)).find(({ msg }) => msg === 'refused'))
  const where = { method: 'PUT', route: '/offers/:id', reqId: /./ }
  t.match(line, { ...where, code: 'FST_IF_MATCH_PRECONDITION_FAILED', status: 412 })
})

await t.test('guide existing-clients: the writes that "warn" let through are counted by client, and no others', async (t) => {
  const { app, storage } = await offersApp(t, { missing: 'warn' })
  const etag = await seed(storage)
  const without = countWithoutIfMatch(({ headers }) => String(headers['x-client']))
  await send(app, 'PUT /offers/1', { 'x-client': 'new', 'if-match': etag })
  await send(app, 'PUT /offers/1', { 'x-client': 'new', 'if-match': 'x' })
  await send(app, 'GET /offers/1', { 'x-client': 'old' })
  for (const client of ['old', 'older', 'old']) await send(app, 'PUT /offers/1', { 'x-client': client })
  t.strictSame([...without], [['old', 2], ['older', 1]])
})
