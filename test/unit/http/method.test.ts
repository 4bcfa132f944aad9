import t from 'tap'
import { answersNotModified, methodKind } from '../../../lib/http/method.js'

await t.test('method: what is registered as safe reads, OPTIONS and the like are exempt, all else writes (R47, R52)', async (t) => {
  for (const method of ['GET', 'HEAD', 'PROPFIND', 'QUERY', 'REPORT', 'SEARCH']) { t.equal(methodKind(method), 'read', method) }
  for (const method of ['CONNECT', 'OPTIONS', 'TRACE']) t.equal(methodKind(method), 'exempt', method)
  for (const method of ['PUT', 'PATCH', 'DELETE', 'POST', 'LOCK', 'MKCOL', 'UNHEARD-OF']) { t.equal(methodKind(method), 'write', method) }
})

await t.test('method: 304 is for GET and HEAD alone (R40)', async (t) => {
  for (const method of ['GET', 'HEAD']) t.equal(answersNotModified(method), true)
  for (const method of ['PUT', 'QUERY', 'OPTIONS']) t.equal(answersNotModified(method), false)
})
