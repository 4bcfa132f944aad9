import { fileURLToPath } from 'node:url'
import { Child } from '../child.js'
import type { Job, Report } from './job.js'

const GENERATOR = fileURLToPath(new URL('./generator.js', import.meta.url))

/** What a load was answered. */
export interface Outcome {
  /** Requests answered in the measured time. */
  readonly answered: number
  /** How long the measured time was. */
  readonly seconds: number
  /** The part of one core that the generator used in it. At 1 it is the generator that was measured. */
  readonly generator: number
}

/**
 * Sends the load from a process of its own.
 *
 * @param onWarm called when the measured time begins, and `onMeasured` when it ends
 * @throws if any answer has another status than that of the scenario, or an entity is not the document any more
 */
export async function load (
  job: Job,
  onWarm: () => Promise<void> = async () => {},
  onMeasured: () => Promise<void> = async () => {}
): Promise<Outcome> {
  const child = new Child('the generator of load', GENERATOR)
  try {
    child.send(job)
    await reported(child, 'warm')
    await onWarm()
    const { answered, seconds, cpu } = await reported(child, 'measured')
    await onMeasured()
    await reported(child, 'verified')
    if (answered === 0) throw new Error(`${job.scenario}: no answer in ${job.seconds} s.`)
    return { answered, seconds, generator: cpu / 1e6 / seconds }
  } finally {
    await child.stop()
  }
}

/** The next report of a process, which must be this one. */
export async function reported<S extends Report['state']> (
  child: Child,
  state: S
): Promise<Extract<Report, { state: S }>> {
  const report = await child.next<Report>()
  if (report.state === 'failed') throw new Error(report.message)
  if (report.state !== state) throw new Error(`the process is ${report.state}, where ${state} was due.`)
  return report as Extract<Report, { state: S }>
}
