// The process of one run: fills an adapter with entities, and asks for them at random.
import { join } from 'node:path'
import type { StorageAdapter } from 'fastify-if-match'
import { createStorage } from '../../example/storage/index.js'
import { documentOf } from '../document.js'
import type { Among } from './among.js'

const [engine, call, count, seconds, folder] = process.argv.slice(2) as [string, string, string, string, string]
const size = Number(count)
const text = documentOf(1)
const keyOf = (index: number): string => `/offers/${index}`
const anyIndex = (): number => Math.floor(Math.random() * size)

process.on('disconnect', () => process.exit())

const storage = await createStorage(engine === 'memory' ? 'memory:' : `${engine}:${join(folder, 'among.db')}`)
await storage.open?.()
const before = heap()
const versionOf = await fill(storage)
const bytes = (heap() - before) / size
const run: Record<string, (index: number) => Promise<unknown>> = {
  read: async (index) => await storage.read(keyOf(index)),
  async write (index) {
    const versions = [versionOf[index]!]
    const result = await storage.write(keyOf(index), JSON.parse(text), { kind: 'version', versions })
    if (!result.applied) throw new Error(`${keyOf(index)} was refused.`)
    versionOf[index] = result.version
  },
  async refused (index) {
    const result = await storage.write(keyOf(index), {}, { kind: 'version', versions: ['stale'] })
    if (result.applied) throw new Error(`${keyOf(index)} was not refused.`)
  }
}
await repeat(run[call]!, Number(seconds) / 2)
process.send!({ cpu: await repeat(run[call]!, Number(seconds)), bytes } satisfies Among)

function heap (): number {
  globalThis.gc!()
  return process.memoryUsage().heapUsed
}

// Many at once: what arrives together shares a sync of the disk.
async function fill (storage: StorageAdapter): Promise<string[]> {
  const versions: string[] = []
  for (let first = 0; first < size; first += 1000) {
    const indexes = Array.from({ length: Math.min(1000, size - first) }, (_, offset) => first + offset)
    versions.push(...await Promise.all(indexes.map(async (index) => {
      const result = await storage.write(keyOf(index), JSON.parse(text), { kind: 'any' })
      if (!result.applied) throw new Error(`${keyOf(index)} was not created.`)
      return result.version
    })))
  }
  return versions
}

/** Calls one after the other, and tells the CPU time of one in microseconds. */
async function repeat (call: (index: number) => Promise<unknown>, seconds: number): Promise<number> {
  const start = process.cpuUsage()
  const end = performance.now() + seconds * 1000
  let done = 0
  while (performance.now() < end) {
    await call(anyIndex())
    done++
  }
  const { user, system } = process.cpuUsage(start)
  return (user + system) / done
}
