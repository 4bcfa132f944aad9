import t from 'tap'
import { runClientChecks } from '../../support/example/client-checks.js'
import { serveOverHttp } from '../../support/example/client.js'
import { storages } from '../../support/example/storage.js'

for (const [kind, make] of Object.entries(storages)) {
  await runClientChecks(t, kind, async (t) => ({
    token: 'contoso-token',
    publisher: 'contoso',
    origin: await serveOverHttp(t, { storage: await make(t) })
  }))
}
