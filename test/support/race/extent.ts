import t, { type Test } from 'tap'
import { placeIn } from '../example/storage.js'
import { skipWithout, type ServiceName } from '../services/programs.js'
import { storageSetting, type Owner } from '../services/service.js'
import { raceSuite, type RaceExtent } from './suite.js'

/** How much is raced on an engine that server processes share over the network: by `npm test`, and by the attacks. */
export interface EngineExtent extends RaceExtent { processes: readonly number[] }
export const FEW: EngineExtent = { processes: [2], clients: [24], rounds: 2, raises: 2 }
export const FULL: EngineExtent = { processes: [2, 4], clients: [64], rounds: 20, raises: 10 }

/** The same for a store of one process, or of processes on one machine. */
export const FEW_AT_HOME: RaceExtent = { clients: [24], rounds: 2, raises: 3 }
export const FULL_AT_HOME: RaceExtent = { clients: [32, 64], rounds: 100, raises: 50 }

/**
 * The races on an engine: on the shared one, or on one of their own.
 *
 * @param scheme that of the address, where the reference server has a driver for each of several
 */
export async function raceOn (
  name: ServiceName,
  start: (t: Owner) => Promise<{ url: string }>,
  { processes, ...extent }: EngineExtent,
  scheme?: string
): Promise<void> {
  const title = scheme === undefined ? name : `${name}, as ${scheme}:`
  await t.test(`races on ${title}`, { skip: skipWithout(name) }, async (t) => {
    const setting = storageSetting((await start(t)).url)
    const address = scheme === undefined ? setting : setting.replace(/^\w+/, scheme)
    for (const count of processes) {
      const newStorage = async (t: Test): Promise<string> => await placeIn(t, address)
      await raceSuite(t, { newStorage, processes: count, ...extent })
    }
  })
}
