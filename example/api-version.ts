import type { FastifyRequest } from 'fastify'
import { ApiError } from './errors.js'

/** The versions of the API that this server speaks. */
export const API_VERSIONS: readonly string[] = ['2017-10-31']

/** A hook that refuses other versions. A missing one is invalid too; Microsoft leaves that open (CPP §2). */
export async function checkApiVersion (request: FastifyRequest): Promise<void> {
  const version = (request.query as Record<string, unknown>)['api-version']
  if (typeof version === 'string' && API_VERSIONS.includes(version)) return
  // Clients read the accepted values out of the brackets at the end.
  throw new ApiError(400, 'InvalidAPIVersion', `The query parameter api-version is missing or is not a version of this API. The accepted values are [${API_VERSIONS.join(', ')}]`)
}
