import { AppRunner } from '@solid/community-server'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { serve } from '../../dist/bench/serve.js'

// Community Solid Server with its resources in memory, no log and no access control.
const port = await new Promise((resolve) => {
  const server = createServer().listen(0, '127.0.0.1', () => {
    const { port } = server.address()
    server.close(() => resolve(port))
  })
})
const app = await new AppRunner().create({
  config: fileURLToPath(new URL('./solid.json', import.meta.url)),
  loaderProperties: { mainModulePath: fileURLToPath(new URL('.', import.meta.url)) },
  shorthand: { port, loggingLevel: 'off', baseUrl: `http://127.0.0.1:${port}/` }
})
await app.start()
// The container comes first: it fails if several clients create it at once.
await fetch(`http://127.0.0.1:${port}/offers/`, { method: 'PUT' })
serve(`http://127.0.0.1:${port}`, () => process.exit())
