import { serve } from './serve.js'
import { appOf } from './sides/index.js'

// The server process of one side whose app is ours.
const [side, folder] = process.argv.slice(2) as [string, string]
const app = await appOf(side, folder)
serve(await app.listen({ host: '127.0.0.1', port: 0 }), () => app.close())
