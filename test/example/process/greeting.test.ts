import t from 'tap'
import { greeting } from '../../../example/process/greeting.js'
import { readSettings } from '../../../example/process/settings.js'

const URL = 'http://127.0.0.1:3000'

await t.test('the greeting names the address and the storage, and has one line to paste', async (t) => {
  const text = greeting(URL, readSettings({}))
  t.match(text, /^The offers API listens at http:\/\/127\.0\.0\.1:3000$/m)
  t.match(text, /^The offer desk, a page for people: http:\/\/127\.0\.0\.1:3000\/$/m)
  t.match(text, /^All routes, to try them on: http:\/\/127\.0\.0\.1:3000\/docs$/m)
  t.match(text, /^Storage: sqlite:data\/offers\.db$/m)
  t.notMatch(text, /Worker/)
  t.match(greeting(URL, readSettings({ STORAGE: 'memory:' })), /^Storage: memory: \(what it holds ends/m)
  t.match(greeting(URL, readSettings({ WORKERS: '4' })), /^Worker processes: 4$/m)
  t.notMatch(text, /Metrics/)
  t.match(greeting(URL, readSettings({}), 'http://[::1]:9464/metrics'), /^Metrics: http:\/\/\[::1\]:9464\/metrics$/m)
  t.match(text, /^Try: curl .*Bearer dev-contoso"/m)
})

await t.test('a token of the operator is never shown, not even beside a development token', async (t) => {
  for (const TOKENS of ['hush=wingtip:owner', 'hush=wingtip:owner,dev-contoso=contoso:owner']) {
    const text = greeting(URL, readSettings({ TOKENS }))
    t.notMatch(text, /hush/)
    t.match(text, /publishers\/wingtip\/offers.*Bearer \$TOKEN"/)
  }
})
