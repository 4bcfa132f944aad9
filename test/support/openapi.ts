import swagger, { type FastifyDynamicSwaggerOptions } from '@fastify/swagger'
import { Validator } from '@seriousme/openapi-schema-validator'
import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import ifMatch, { type IfMatchOptions } from 'fastify-if-match'
import { transform } from 'fastify-if-match/openapi'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { newApp } from './offers-app.js'

export interface Parameter { in: string, name: string, required?: boolean, description?: string }
export interface Answer {
  description: string
  headers?: Record<string, unknown>
  content?: Record<string, { schema: object }>
}
export interface Operation { parameters?: Parameter[], responses: Record<string, Answer> }
export interface Document { paths: Record<string, Record<string, Operation>> }

export const OPENAPI_30 = { openapi: { openapi: '3.0.3', info: { title: 'Offers', version: '1' } } }
export const OPENAPI_31 = { openapi: { openapi: '3.1.0', info: { title: 'Offers', version: '1' } } }
export const SWAGGER_2 = { swagger: { info: { title: 'Offers', version: '1' } } }

export interface DocumentOptions {
  plugin?: Partial<IfMatchOptions>
  swagger?: FastifyDynamicSwaggerOptions
  swaggerLast?: boolean
}

/** An app with these routes, and its document. */
export async function documentOf (
  t: Test,
  addRoutes: (app: FastifyInstance) => void,
  options: DocumentOptions = {}
): Promise<{ app: FastifyInstance, document: Document }> {
  const app = newApp(t)
  const addSwagger = async (): Promise<void> => {
    await app.register(swagger, {
      ...(options.swagger?.swagger === undefined && OPENAPI_30),
      transform,
      ...options.swagger
    })
  }
  if (options.swaggerLast !== true) await addSwagger()
  await app.register(ifMatch, { storage: memoryAdapter(), ...options.plugin })
  if (options.swaggerLast === true) await addSwagger()
  addRoutes(app)
  await app.ready()
  return { app, document: asSent(app) }
}

/** The document of the app as a client gets it. */
export function asSent (app: FastifyInstance): Document {
  return JSON.parse(JSON.stringify(app.swagger())) as Document
}

/** Fails the test unless the document is one by the schema of its own version of OpenAPI. */
export async function checkDocument (t: Test, document: Document, version: string): Promise<void> {
  const validator = new Validator()
  const { valid, errors } = await validator.validate({ ...structuredClone(document) })
  t.ok(valid, version, { errors })
  t.equal(validator.version, version)
}

/** The headers among the parameters of an operation, and whether each is required. */
export function headersOf (operation: Operation | undefined): Record<string, boolean> {
  const headers = (operation?.parameters ?? []).filter((parameter) => parameter.in === 'header')
  return Object.fromEntries(headers.map(({ name, required }) => [name, required === true]))
}

/** The description of a parameter of an operation. */
export function textOf (operation: Operation | undefined, name: string): string | undefined {
  return operation?.parameters?.find((parameter) => parameter.name === name)?.description
}
