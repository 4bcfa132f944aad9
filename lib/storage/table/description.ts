import type { TObject, TSchema } from '@sinclair/typebox'
import { InvalidKeyError } from '../../errors.js'
import { uuid, wholeNumber } from '../../key/converters.js'
import { parametersOf } from '../../key/entity-key.js'
import { keyPattern, type Converter } from '../../key/key-pattern.js'
import { assertNoFlaw, unknownOption, type Flaw } from '../kit/flaws.js'
import { checkKey } from '../kit/key.js'
import { columnNamed, flawOf, ownMember, propertiesOf, type Property, type SqlValue } from './columns.js'
import { dialectOf, ENGINES } from './engines.js'
import type { Engine, TableName } from './engine.js'
import { kindOfSchema, type Kind } from './kind.js'
import type { DeletedOption, IdOption, TableAdapterOptions, TableOptions, VersionOption } from './options.js'

/** A column of the id, and the parameter of the key that it is filled from. */
export interface IdColumn extends Kind { parameter: string, column: string }

/** What migration and statements need to know of a table. */
export interface TableShape {
  engine: Engine
  table: TableName
  ids: readonly IdColumn[]
  version: Required<VersionOption>
  replaced: string | undefined
  digest: string | undefined
}

/** A table as its options describe it. */
export interface TableDescription extends TableShape {
  properties: readonly Property[]
  deleted: Required<DeletedOption> | undefined
  inserts: boolean
  /** @throws FST_IF_MATCH_INVALID_KEY */
  toId: (key: string) => SqlValue[]
}

const KINDS = ['token', 'counter', 'trigger']
const MARKS = ['time', 'flag']

/** The shape of a table. @throws FST_IF_MATCH_INVALID_OPTIONS */
export function shapeOf (where: string, options: TableOptions, columns?: TObject): TableShape {
  const { dialect, table, id, version, names = {}, replaced, digest } = Object(options) as TableOptions
  const engine = ENGINES[dialect] as Engine | undefined
  const path = typeof table === 'string' ? table.split('.') : [table].flat() as string[]
  const ids = idColumns(id, names, columns)
  const { column, kind = 'token' } = namedBy<VersionOption>(version)
  const isOnPostgres = engine?.dialect === 'postgres'
  assertNoFlaw(where, [
    [engine === undefined, "\"dialect\" must be 'postgres', 'sqlite' or 'mysql'."],
    [path.length > 2 || !path.every(isName), '"table" must be its name, or that of its schema, a dot, and its name.'],
    [ids.length === 0 || !ids.every(({ column }) => isName(column)), '"id" must name one or several columns.'],
    [
      ids.some(({ type, isNullable }) => (type !== 'text' && type !== 'integer') || isNullable),
      '"id" must be of texts (Type.String()), UUIDs and whole numbers (Type.Integer()).'
    ],
    [!isName(column), '"version" must name the column of the version.'],
    [!KINDS.includes(kind), "the kind of \"version\" must be 'token', 'counter' or 'trigger'."],
    [
      kind === 'counter' && engine?.returns === false,
      'a version of the kind "counter" does not work on MySQL and MariaDB, whose UPDATE does not tell what it made. ' +
      'Take "token".'
    ],
    [
      kind === 'trigger' && !isOnPostgres,
      'a version of the kind "trigger" works on PostgreSQL alone: elsewhere a statement is not told what a trigger ' +
      'made. Take "token" or "counter", and a trigger that leaves alone what the adapter writes.'
    ],
    ...Object.entries({ replaced, digest }).map(([option, name]) =>
      [name !== undefined && !isName(name), `"${option}" must name a column, if there is one.`] as const)
  ])
  const name = path.at(-1)!
  const schema = path.length === 2 ? path[0] : undefined
  return { engine: engine!, table: { schema, name }, ids, version: { column, kind }, replaced, digest }
}

/** What the options of the adapter say of the table. @throws FST_IF_MATCH_INVALID_OPTIONS */
export function descriptionOf<S extends TObject> (options: TableAdapterOptions<S>): TableDescription {
  const {
    client, dialect = dialectOf(client), table, id, version, columns, names = {}, key, replaced, digest, deleted,
    insert = true
  } = Object(options) as TableAdapterOptions<S>
  const where = 'tableAdapter'
  const isSchema = Object(Object(columns).properties) === Object(columns).properties
  assertNoFlaw(where, [
    [client === undefined || client === null, '"client" must be the client that the statements run on.'],
    [client instanceof Promise, '"client" is a promise. Await it before you pass it.'],
    [dialect === undefined, "\"dialect\" must be 'postgres', 'sqlite' or 'mysql': the client does not tell."],
    [!isSchema, '"columns" must be a schema of the value: Type.Object({ … }).'],
    [typeof insert !== 'boolean', '"insert" must be true or false.'],
    unknownOption(
      options,
      { client, dialect, table, id, version, columns, names, key, replaced, digest, deleted, insert }
    )
  ])
  const shape = shapeOf(where, { dialect: dialect!, table, id, version, names, replaced, digest }, columns)
  const properties = propertiesOf(columns, names, shape.ids.map(({ column }) => column))
  const { column, kind = 'time' } = namedBy<DeletedOption>(deleted)
  const kept = [shape.version.column, replaced, digest, column].filter((name) => name !== undefined)
  const all = [...kept, ...[...shape.ids, ...properties.filter(isWritten)].map(({ column }) => column)]
  const known = [...properties.map(({ name }) => name), ...shape.ids.map(({ parameter }) => parameter)]
  assertNoFlaw(where, [
    [deleted !== undefined && !isName(column), '"deleted" must name the column of the mark.'],
    [!MARKS.includes(kind), "the kind of \"deleted\" must be 'time' or 'flag'."],
    [!properties.some(isWritten), '"columns" must have a property that is written.'],
    [new Set(all).size < all.length, 'two of its columns are one.'],
    ...Object.keys(names).map((name): Flaw =>
      [!known.includes(name), `"names" has "${name}", which is no property of "columns" and no parameter of "id".`]),
    ...properties.map((property): Flaw => [
      property.isOptional && property.isNullable && !property.isReadOnly,
      `the property "${property.name}" may be null and may be left out, and a column has one NULL. Choose one of them.`
    ]),
    [
      key !== undefined && typeof key !== 'string' && typeof key !== 'function',
      '"key" must be a pattern, such as \'/offers/:id\', or a function of the key.'
    ]
  ])
  const parameters = shape.ids.map(({ parameter }) => parameter)
  const pattern = key ?? `/${shape.table.name}/${parameters.map((parameter) => `:${parameter}`).join('/')}`
  const toId = toIdOf(pattern, shape.ids)
  const isOther = typeof pattern === 'string' && parametersOf(pattern).sort().join() !== [...parameters].sort().join()
  assertNoFlaw(where, [
    [isOther, `"key" must have the parameters that "id" names, which are ${parameters.join(', ')}, and no others.`]
  ])
  return { ...shape, properties, deleted: deleted === undefined ? undefined : { column, kind }, inserts: insert, toId }
}

// The name of a column stands for its option.
function namedBy<O extends { column: string }> (option: string | O | undefined): O {
  return (typeof option === 'string' ? { column: option } : Object(option)) as O
}

function isWritten ({ isReadOnly }: Property): boolean {
  return !isReadOnly
}

function idColumns (id: IdOption, names: Readonly<Record<string, string>>, columns?: TObject): IdColumn[] {
  if (typeof id === 'string' || Array.isArray(id)) {
    return [id].flat().map((name: string) => {
      const column = columnNamed(names, name)
      const entry = Object.entries(columns?.properties ?? {}).find(([name]) => columnNamed(names, name) === column)
      return { ...kindOfSchema(entry?.[1] ?? TEXT), isNullable: false, parameter: name, column }
    })
  }
  const { properties } = Object(id) as TObject
  return Object.entries(properties ?? {}).map(([parameter, schema]) =>
    ({ ...kindOfSchema(schema), parameter, column: columnNamed(names, parameter) }))
}

const TEXT = { type: 'string' } as unknown as TSchema

// PostgreSQL cuts longer names off, and two names might become one (engine-facts#postgres-identifier-length).
function isName (name: unknown): boolean {
  return typeof name === 'string' && name !== '' && !name.includes('\0') && Buffer.byteLength(name) <= 63
}

function toIdOf (key: string | ((key: string) => object), ids: readonly IdColumn[]): (key: string) => SqlValue[] {
  const parse = typeof key === 'function' ? key : keyPattern(key, convertersOf(ids)).parse
  return (key) => {
    checkKey(key)
    const params = Object(parse(key)) as object
    return ids.map(({ parameter, ...kind }) => {
      const value = ownMember(params, parameter)
      const flaw = flawOf(value, kind)
      if (flaw !== undefined) throw new InvalidKeyError(`has an id whose "${parameter}" ${flaw}`)
      return value as SqlValue
    })
  }
}

function convertersOf (ids: readonly IdColumn[]): Record<string, Converter> {
  const converted = ids.filter(({ type, isUuid }) => type === 'integer' || isUuid)
  return Object.fromEntries(converted.map(({ parameter, type }) =>
    [parameter, type === 'integer' ? (text: string) => wholeNumber(text) : uuid]))
}
