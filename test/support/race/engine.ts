import t from 'tap'
import { placeIn } from '../example/storage.js'
import { skipWithout, type ServiceName } from '../services/programs.js'
import { storageSetting, type Owner } from '../services/service.js'
import { raceSuite } from './suite.js'

/** The races on an engine that server processes share over the network, as its file of this folder starts it. */
export async function raceOn (name: ServiceName, start: (t: Owner) => Promise<{ url: string }>): Promise<void> {
  await t.test(`races on ${name}`, { skip: skipWithout(name) }, async (t) => {
    const { url } = await start(t)
    for (const processes of [2, 4]) {
      await raceSuite(t, {
        newStorage: async (t) => await placeIn(t, storageSetting(url)),
        processes,
        clients: [64],
        rounds: 10,
        raises: 10
      })
    }
  })
}
