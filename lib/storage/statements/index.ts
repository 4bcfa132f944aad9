import { InvalidOptionsError, OutcomeUnknownError, StorageUnavailableError } from '../../errors.js'
import type { Expectation, ReadOptions, StorageAdapter, Stored } from '../adapter.js'
import { within } from '../kit/deadline.js'
import { assertNoFlaw, unknownOption } from '../kit/flaws.js'
import { copyJson, copyRead } from '../kit/json.js'
import { provenApplied } from '../kit/lost-answer.js'
import { throwIfStopped } from '../kit/stop.js'
import { newVersion } from '../kit/version.js'
import { writeThenRead } from '../kit/write-then-read.js'
import { changedBy, isChanged, provenanceOf, written } from './answer.js'
import { guardedFaultOf, mapped } from './app-functions.js'
import { readFault } from './faults.js'
import type { StatementsAdapterOptions } from './options.js'
import { flawsOfClient, ownClientOf, type OwnClient } from './own-client.js'
import { sent } from './sent.js'

export type { ReturnedRow, RowCount, RowsOrCount, RowVersion } from './answer.js'
export type { Mapping, Provenance, Row, StatementsAdapterOptions } from './options.js'
export { mysqlFault, sqliteFault, sqlStateFault } from './faults.js'

// How long the read that looks for a lost write may take, in milliseconds.
const PROOF_TIMEOUT = 2000

/**
 * An adapter over a table of your own, or over a model of an ORM. You bring four statements, each atomic by itself, and
 * a mapping. The adapter adds the loop around them (write, then read), versions, the signal, and the errors of the
 * contract.
 *
 * @throws FST_IF_MATCH_INVALID_OPTIONS if the client or a function is missing, or an option is unknown
 * @example
 * statementsAdapter({ ...offers, client: db, read, update, insert, remove, faultOf: sqlStateFault })
 */
export function statementsAdapter<T, Columns extends object, Client, Id = string> (
  parts: StatementsAdapterOptions<T, Columns, Client, Id>
): StorageAdapter<T> {
  const { client: ownClient, toId, toColumns, toValue, read, update, insert, remove, faultOf } =
    Object(parts) as StatementsAdapterOptions<T, Columns, Client, Id>
  const required = { toId, toColumns, toValue, read, update, remove }
  const optional = { insert, faultOf }
  assertNoFlaw('statementsAdapter', [
    [ownClient === undefined || ownClient === null, '"client" must be the client that the statements run on.'],
    [ownClient instanceof Promise, '"client" is a promise. Await it before you pass it.'],
    ...Object.entries(required).map(([name, part]) =>
      [typeof part !== 'function', `"${name}" must be a function.`] as const),
    ...Object.entries(optional).map(([name, part]) =>
      [part !== undefined && typeof part !== 'function', `"${name}" must be a function, if there is one.`] as const),
    unknownOption(parts, { client: ownClient, ...required, ...optional })
  ])

  const withOwnClient = ownClientOf(ownClient)

  // A context without `client`, for example by a typing error, would put the write outside of the transaction.
  function clientOf (context: unknown): OwnClient<Client> {
    if (context === undefined) return withOwnClient
    const { client } = Object(context) as { client?: Client | null }
    assertNoFlaw('the entity', flawsOfClient(client))
    return async (statement) => await statement(client!)
  }

  const writeFault = guardedFaultOf(parts.faultOf)
  const idOf = (key: string): Id => mapped('toId', () => toId(key))

  async function readStored (
    client: OwnClient<Client>,
    id: Id,
    options: ReadOptions | undefined,
    newest: boolean
  ): Promise<Stored<T> | undefined> {
    const row = await sent(() => client((client) => read(client, id, { newest })), options, readFault)
    if (row === undefined || row === null) return undefined
    const value = copyRead(mapped('toValue', () => toValue(row)), 'what toValue made')
    return { value, ...provenanceOf(row) }
  }

  // The look behind a write. It is read also if nobody waits for it any more.
  async function readBehind (
    client: OwnClient<Client>,
    id: Id,
    options: ReadOptions | undefined
  ): Promise<Stored<T> | undefined> {
    const context = options?.context
    return await readStored(client, id, { context }, context !== undefined)
  }

  // What a statement gives. `prove` resolves if the row shows that one that failed was carried out all the same.
  async function carryOut<A> (
    statement: () => A | Promise<A>,
    options: ReadOptions | undefined,
    prove?: (cause: unknown) => Promise<unknown>
  ): Promise<A | 1> {
    return await sent<A | 1>(statement, options, writeFault, async (cause) => {
      // A read inside a transaction says nothing about how the transaction ends.
      if (prove === undefined || options?.context !== undefined) throw new OutcomeUnknownError({ cause })
      await prove(cause)
      return 1
    })
  }

  return {
    async read (key, options) {
      const id = idOf(key)
      const client = clientOf(options?.context)
      return await readStored(client, id, options, false)
    },

    async write (key, value, expectation, options) {
      const id = idOf(key)
      const client = clientOf(options?.context)
      const version = newVersion()
      const columns = mapped('toColumns', () => toColumns(copyJson(value)))
      const row = { ...columns, version, digest: options?.digest ?? null }
      const { kind } = expectation
      const mayCreate = kind === 'absent' || kind === 'any'
      const readCurrent = async () => await readBehind(client, id, options)
      const readForProof = async () =>
        await within(PROOF_TIMEOUT, readCurrent(), () => new StorageUnavailableError())
      const proveAfter = (kind: 'exists' | 'absent') => async (cause: unknown) =>
        await provenApplied(version, { kind }, readForProof, cause)

      // A statement gets a copy of the row, because an ORM may add to it.
      async function write () {
        if (canNeverHold(expectation, options)) return undefined
        const sentRow = { version, columns, toValue, versions: versionsOf(expectation) }
        if (kind !== 'absent') {
          const statement = () => client((client) => update(client, id, { ...row }, versionsOf(expectation)))
          const changed = changedBy(await carryOut(statement, options, proveAfter('exists')))
          if (changed !== undefined) return written(changed, { ...sentRow, created: false })
        }
        if (mayCreate && insert !== undefined) {
          const statement = () => client((client) => insert(client, id, { ...row }))
          const changed = changedBy(await carryOut(statement, options, proveAfter('absent')))
          if (changed !== undefined) return written(changed, { ...sentRow, created: true })
        }
        return undefined
      }

      return await writeThenRead(expectation, write, async () => {
        const current = await readCurrent()
        if (current === undefined && mayCreate && insert === undefined) throw noInsert()
        return current
      })
    },

    async remove (key, expectation, options) {
      const id = idOf(key)
      const client = clientOf(options?.context)
      const statement = () => client((client) => remove(client, id, versionsOf(expectation)))
      return await writeThenRead(
        expectation,
        async () => {
          if (canNeverHold(expectation, options)) return undefined
          return isChanged(await carryOut(statement, options)) ? { applied: true as const } : undefined
        },
        async () => await readBehind(client, id, options)
      )
    }
  }
}

function versionsOf (expectation: Expectation): readonly string[] | undefined {
  return expectation.kind === 'version' ? expectation.versions : undefined
}

// An empty list never holds, and no statement is sent for it: `IN ()` is an error (engine-facts#any-orm-empty-in-list).
function canNeverHold (expectation: Expectation, options: ReadOptions | undefined): boolean {
  throwIfStopped(options)
  return expectation.kind === 'version' && expectation.versions.length === 0
}

function noInsert (): Error {
  return new InvalidOptionsError(
    'statementsAdapter',
    'it has no "insert", so a write cannot create. Add it, or let the route create nothing: ' +
    'config: { ifMatch: { create: false } }.'
  )
}
