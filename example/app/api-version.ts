import type { FastifyRequest } from 'fastify'
import { ApiError } from './errors.js'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The versions of the API that the route accepts; API_VERSIONS by default. */
    apiVersions?: readonly string[]
  }
}

/** The versions of the API that this server speaks. */
export const API_VERSIONS: readonly string[] = ['2017-10-31']

/** A hook that refuses every other version, and a request that names none (reading 8). */
export async function checkApiVersion (request: FastifyRequest): Promise<void> {
  const version = (request.query as Record<string, unknown>)['api-version']
  const accepted = request.routeOptions.config.apiVersions ?? API_VERSIONS
  if (typeof version === 'string' && accepted.includes(version)) return
  // The accepted values end the message, in brackets (reading 30).
  throw new ApiError(
    400,
    'InvalidAPIVersion',
    'The query parameter api-version is missing or is not a version of this API. ' +
      `The accepted values are [${accepted.join(', ')}]`
  )
}
