import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Child } from '../child.js'

const PROCESS = fileURLToPath(new URL('./among-process.js', import.meta.url))

/** What an adapter costs and takes among other entities. */
export interface Among {
  /** CPU time of a call, in microseconds. */
  readonly cpu: number
  /** What an entity of 1 KB takes of the heap, in bytes. */
  readonly bytes: number
}

/**
 * The CPU time of a call of an adapter that holds this many entities, each asked for at random.
 *
 * @param series the adapter, and `read`, `write` (under the current version) or `refused`
 */
export async function measureAmong (series: string, size: number, run: { seconds: number, folder: string }) {
  return (await among(series, size, run)).cpu
}

export async function among (
  series: string,
  size: number,
  { seconds, folder }: { seconds: number, folder: string }
): Promise<Among> {
  const fresh = await mkdtemp(join(folder, 'bench-'))
  const args = [...series.split(' '), String(size), String(seconds), fresh]
  // A million entities of 1 KB are more than the heap has by default.
  const child = new Child('the process', PROCESS, args, ['--expose-gc', '--max-old-space-size=12000'])
  try {
    return await child.next<Among>()
  } finally {
    await child.stop()
    await rm(fresh, { recursive: true })
  }
}
