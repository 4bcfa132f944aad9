import type { FastifyReply } from 'fastify'

const NO_TRAILERS: string[] = []

let kTrailers: symbol | undefined

/** The names of the trailers of a reply: no public method lists them (engine-facts#fastify-trailers). */
export function trailersOf (reply: FastifyReply): string[] {
  if (kTrailers === undefined || !(kTrailers in reply)) {
    kTrailers = Object.getOwnPropertySymbols(reply).find(({ description }) => description === 'fastify.reply.trailers')
  }
  const trailers = (reply as unknown as Record<symbol, object | null | undefined>)[kTrailers!]
  return trailers ? Object.keys(trailers).filter((name) => reply.hasTrailer(name)) : NO_TRAILERS
}
