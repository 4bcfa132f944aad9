import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Child } from '../child.js'
import { reported } from '../load/load.js'
import type { Run, Sample } from '../measure.js'

const PROCESS = fileURLToPath(new URL('./process.js', import.meta.url))

/** Measures one scenario in a fresh process that is server and client at once. Half of the time more warms it up. */
export async function measureInProcess (
  run: Pick<Run, 'side' | 'scenario' | 'kilobytes' | 'seconds' | 'folder'>
): Promise<Sample> {
  const fresh = await mkdtemp(join(run.folder, 'bench-'))
  const args = [run.side, fresh, run.scenario, String(run.kilobytes), String(run.seconds)]
  const child = new Child('the process', PROCESS, args, ['--expose-gc'])
  try {
    const { answered, seconds, cpu } = await reported(child, 'measured')
    return { perSecond: answered / seconds, cpu: cpu / answered }
  } finally {
    await child.stop()
    await rm(fresh, { recursive: true })
  }
}
