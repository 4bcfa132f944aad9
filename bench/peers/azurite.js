import { createRequire } from 'node:module'
import { join } from 'node:path'
import { ACCOUNT, CONTAINER, SIGNATURE } from '../../dist/bench/dialects/azurite.js'
import { serve } from '../../dist/bench/serve.js'

process.env.AZURITE_ACCOUNTS = ACCOUNT
const require = createRequire(import.meta.url)
const { default: BlobConfiguration } = require('azurite/dist/src/blob/BlobConfiguration')
const { default: BlobServer } = require('azurite/dist/src/blob/BlobServer')

// The emulator of Azure's Blob Storage, with everything in memory and no log.
const folder = process.argv[3]
const places = [{ locationId: 'Default', locationPath: join(folder, 'blobs'), maxConcurrency: 50 }]
const server = new BlobServer(new BlobConfiguration(
  '127.0.0.1', 0, 60, join(folder, 'a.json'), join(folder, 'b.json'), places,
  false, undefined, false, undefined, true, true, '', '', '', undefined, true, true
))
await server.start()
const url = server.getHttpServerAddress()
const created = await fetch(`${url}${CONTAINER}?restype=container&${SIGNATURE}`, { method: 'PUT' })
if (created.status !== 201) throw new Error(`Azurite: ${created.status} ${await created.text()}`)
serve(url, () => process.exit())
