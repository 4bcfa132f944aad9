import t from 'tap'
import { createStorage } from '../../example/storage.js'
import { runClientChecks } from '../helper/client-checks.js'
import { serveOverHttp } from '../helper/example-client.js'
import { fileOf } from '../storage/sqlite-handles.js'

const CONTOSO = { token: 'contoso-token', publisher: 'contoso' }

await runClientChecks(t, 'memory:', async (t) => ({ ...CONTOSO, origin: await serveOverHttp(t, { storage: createStorage('memory:') }) }))

await runClientChecks(t, 'sqlite:', async (t) => ({ ...CONTOSO, origin: await serveOverHttp(t, { storage: createStorage(`sqlite:${fileOf(t)}`) }) }))
