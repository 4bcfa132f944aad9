import t from 'tap'
import { runClientChecks } from '../helper/client-checks.js'
import { serveOverHttp } from '../helper/example-client.js'
import { storages } from '../helper/example-storage.js'

for (const [kind, make] of Object.entries(storages)) {
  await runClientChecks(t, kind, async (t) => ({ token: 'contoso-token', publisher: 'contoso', origin: await serveOverHttp(t, { storage: await make(t) }) }))
}
