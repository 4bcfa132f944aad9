import type { Subject } from 'fastify-if-match/conformance'
import type { Proxy } from './services/proxy.js'

/**
 * Cuts a subject of the conformance suite off from its engine by its proxies, and ends them with it.
 *
 * @param back resolves when all adapters of the subject can work again
 */
export function cutBy (
  proxies: readonly Proxy[], back: () => Promise<unknown> = async () => {}
): Required<Pick<Subject, 'cut' | 'close'>> {
  const refuse = async (): Promise<void> => {
    await Promise.all(proxies.map(async (proxy) => { await proxy.refuse() }))
  }
  return {
    async cut () {
      await refuse()
      return async () => {
        await Promise.all(proxies.map(async (proxy) => { await proxy.accept() }))
        await back()
      }
    },
    close: refuse
  }
}
