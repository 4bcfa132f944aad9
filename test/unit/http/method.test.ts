import t from 'tap'
import { answersNotModified, methodKind } from '../../../lib/http/method.js'

await t.test('method: a safe method reads, CONNECT, OPTIONS and TRACE are exempt, all others write (RFC 9110 13.2.1)', async (t) => {
  const reads = ['GET', 'HEAD', 'PROPFIND', 'QUERY', 'REPORT', 'SEARCH']
  const exempt = ['CONNECT', 'OPTIONS', 'TRACE']
  const writes = ['PUT', 'PATCH', 'DELETE', 'POST', 'LOCK', 'MKCOL', 'UNHEARD-OF']
  for (const method of reads) t.equal(methodKind(method), 'read', method)
  for (const method of exempt) t.equal(methodKind(method), 'exempt', method)
  for (const method of writes) t.equal(methodKind(method), 'write', method)
})

await t.test('method: 304 is for GET and HEAD alone (RFC 9110 13.2.2)', async (t) => {
  for (const method of ['GET', 'HEAD']) t.equal(answersNotModified(method), true)
  for (const method of ['PUT', 'QUERY', 'OPTIONS']) t.equal(answersNotModified(method), false)
})
