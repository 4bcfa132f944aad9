import { sides } from './sides.js'

// The server process of one run: says where it listens, tells its CPU time when asked, and ends with its parent.
const [side, folder] = process.argv.slice(2) as [string, string]
const app = await sides[side]!(folder)
const url = await app.listen({ host: '127.0.0.1', port: 0 })

process.on('message', () => { process.send!(process.cpuUsage()) })
process.on('disconnect', () => { void app.close() })
process.send!(url)
