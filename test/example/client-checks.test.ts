import t from 'tap'
import { runClientChecks } from '../helper/client-checks.js'
import { createStorage } from '../../example/storage.js'
import { serveOverHttp } from '../helper/example-client.js'
import { fileOf } from '../storage/sqlite-handles.js'

await runClientChecks(t, 'memory:', 'contoso-token', async (t) => await serveOverHttp(t, { storage: createStorage('memory:') }))

await runClientChecks(t, 'sqlite:', 'contoso-token', async (t) => await serveOverHttp(t, { storage: createStorage(`sqlite:${fileOf(t)}`) }))
