import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify'
import type { StorageAdapter } from 'fastify-if-match'
import { memoryAdapter, type MemoryAdapterOptions } from 'fastify-if-match/storage/memory'
import type { Test } from 'tap'
import { buildApp, type AppOptions } from '../../example/app.js'
import { parseTokens } from '../../example/tokens.js'

export const TYPE = 'microsoft-azure-virtualmachines'
export const OFFER = { offerTypeId: TYPE, definition: { displayText: 'Tide DB', plans: [{ planId: 'small', regions: ['FI'] }] } }

/** The reference server, closed when the test ends. */
export async function newApp (t: Test, options: Partial<AppOptions> = {}): Promise<FastifyInstance> {
  const app = await buildApp({
    storage: memoryAdapter(),
    tokens: parseTokens('contoso-token=contoso:owner,fabrikam-token=fabrikam:contributor'),
    ...options
  })
  t.teardown(async () => { await app.close() })
  return app
}

/** The address of the offers of contoso, or of what is below it. */
export function offersUrl (path = '', query = 'api-version=2017-10-31'): string {
  return `/api/publishers/contoso/offers${path}?${query}`
}

/** Sends a request with the token of contoso; a header that is undefined is left out. */
export async function send (app: FastifyInstance, method: NonNullable<InjectOptions['method']>, url: string, headers: Record<string, string | undefined> = {}, payload?: unknown): Promise<LightMyRequestResponse> {
  const all = { authorization: 'Bearer contoso-token', ...headers }
  const sent = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return await app.inject({ method, url, headers: Object.fromEntries(sent), payload: payload as NonNullable<InjectOptions['payload']> })
}

/** The code in the form of an error, and that the answer has this form. */
export function codeOf (t: Test, response: LightMyRequestResponse): string {
  const { error, ...rest } = response.json()
  t.match(error, { code: String, message: /\w/ })
  t.strictSame([Object.keys(error), rest], [['code', 'message'], {}])
  return error.code
}

/** A storage over memory that counts what it is asked. */
export function countingMemory (): { storage: StorageAdapter, calls: string[] } {
  const calls: string[] = []
  const around: MemoryAdapterOptions['around'] = (step, operation, key) => {
    calls.push(`${operation} ${key}`)
    return step()
  }
  return { storage: memoryAdapter({ around }), calls }
}

/** A storage over memory that keeps the size of all that is written to it, in bytes of JSON. */
export function measuringMemory (): { storage: StorageAdapter, sizes: number[] } {
  const memory = memoryAdapter()
  const sizes: number[] = []
  const storage: StorageAdapter = {
    ...memory,
    async write (key, value, expectation, options) {
      sizes.push(Buffer.byteLength(JSON.stringify(value)))
      return await memory.write(key, value, expectation, options)
    }
  }
  return { storage, sizes }
}

/** A storage over memory. After `meet(n)` the next n writes wait for each other, so none of them has seen another. */
export function meetingMemory (): { storage: StorageAdapter, meet: (writers: number) => void } {
  let missing = 0
  let open: () => void
  let all: Promise<void> | undefined
  return {
    storage: memoryAdapter({
      async around (step, operation) {
        if (operation === 'write' && missing > 0) {
          if (--missing === 0) open()
          await all
        }
        return step()
      }
    }),
    meet (writers) {
      missing = writers
      all = new Promise((resolve) => { open = resolve })
    }
  }
}
