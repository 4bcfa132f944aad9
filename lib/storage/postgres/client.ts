/**
 * What the adapter asks of a client: a `Pool` or `Client` of pg, a PGlite, a driver for serverless platforms. Each call
 * is one statement with its parameters, and resolves when the server has carried it out.
 */
export interface PostgresClient {
  query (text: string, values?: unknown[]): Promise<{ rows: unknown[] }>
}

/** A statement in the form of pg alone, which can name and so prepare it, and which frees a connection that hangs. */
export interface PgQuery {
  name?: string
  text: string
  values: unknown[]
  query_timeout: number
}

/** A client that takes `PgQuery` as well. */
export interface PgClient {
  query (query: PgQuery): Promise<{ rows: unknown[] }>
}

/** Whether something can be asked a statement. */
export function isClient (candidate: unknown): candidate is PostgresClient {
  return typeof (candidate as Partial<PostgresClient> | null | undefined)?.query === 'function'
}

/** Whether a client is a Pool of pg, or of what is built on it: each of its statements may go over another connection. */
export function isPgPool (client: object): boolean {
  return typeof (client as { totalCount?: unknown }).totalCount === 'number'
}

/** Whether a client is one connection of pg. */
export function isPgConnection (client: object): boolean {
  return typeof (client as { escapeIdentifier?: unknown }).escapeIdentifier === 'function'
}

/** Whether a client is certainly in no transaction; only a connection of pg says so. */
export function isOutsideTransaction (client: object): boolean {
  return (client as { getTransactionStatus?: () => unknown }).getTransactionStatus?.() === 'I'
}
