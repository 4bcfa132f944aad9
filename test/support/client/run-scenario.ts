import { argv } from 'node:process'
import { scenario } from './scenario.js'

// Bun, Deno and Node.js run this file.
console.log(JSON.stringify(await scenario(argv[2]!)))
