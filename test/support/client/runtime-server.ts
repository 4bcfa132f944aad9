import { join } from 'node:path'
import fastifyStatic from '@fastify/static'
import type { Test } from 'tap'
import { OFFER_KEY } from '../../../example/offers/key.js'
import { deskServer } from '../desk/server.js'
import { offersUrl } from '../example/app.js'

/**
 * The reference server, with three things for `scenario()`: offers can be removed; a request says in `x-happening` what
 * happens to it; and the compiled files are at `/dist/`, for browsers.
 *
 * @returns its address, and that of an offer
 */
export async function runtimeServer (t: Test) {
  const { address } = await deskServer(t, {}, async (app) => {
    app.addHook('onRequest', async (request, reply) => {
      const happening = request.headers['x-happening']
      if (happening === 'held') {
        reply.hijack()
        // A client that closed its side may still wait for its answer, and would hold the server (reading 38).
        request.raw.socket.once('end', () => { request.raw.socket.destroy() })
      }
      if (happening === 'redirected' && request.method !== 'GET') await reply.redirect(request.url, 303)
    })
    // It was carried out by then.
    app.addHook('onSend', async (request) => {
      if (request.headers['x-happening'] === 'lost' && request.method !== 'GET') request.raw.socket.destroy()
    })
    app.delete(
      '/api/publishers/:publisherId/offers/:offerId',
      { config: { ifMatch: { key: OFFER_KEY } } },
      async (request, reply) => {
        await request.entity().remove()
        return await reply.code(204).send()
      }
    )
    await app.register(fastifyStatic, {
      decorateReply: false, root: join(import.meta.dirname, '../../..'), prefix: '/dist/', dotfiles: 'allow'
    })
  })
  return { address, offer: address.slice(0, -1) + offersUrl('/tide') }
}
