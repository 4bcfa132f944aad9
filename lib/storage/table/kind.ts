import type { TSchema } from '@sinclair/typebox'

/** How a property is kept in a column. */
export interface Kind {
  /** `json`: the JSON text of an object, an array, or of what may be of several types. */
  type: 'text' | 'integer' | 'number' | 'boolean' | 'json'
  /** Whether null is kept as NULL. */
  isNullable: boolean
  /** How many decimals a number has at most, by `multipleOf`. */
  decimals: number | undefined
  /** The texts that are allowed, where the schema lists them. */
  values: readonly string[] | undefined
  /** How many characters a text has at most. */
  longest: number | undefined
  isUuid: boolean
}

/** The kind of a property, by its schema. It looks at the JSON Schema alone, so any builder of one will do. */
export function kindOfSchema (schema: TSchema): Kind {
  const types = typesOf(schema)
  const isNullable = types?.has('null') ?? false
  const others = [...types ?? []].filter((type) => type !== 'null').sort().join()
  const texts = textsOf(schema)
  const { multipleOf, maxLength, format } = partsOf(schema).find((part) => part['type'] !== 'null') ?? schema
  return {
    type: TYPES[others] ?? 'json',
    isNullable,
    decimals: typeof multipleOf === 'number' ? decimalsOf(multipleOf) : undefined,
    values: texts,
    longest: partsOf(schema).length <= 2 && typeof maxLength === 'number' ? maxLength : undefined,
    isUuid: format === 'uuid'
  }
}

const TYPES: Record<string, Kind['type']> = {
  string: 'text', integer: 'integer', number: 'number', 'integer,number': 'number', boolean: 'boolean'
}

// The parts of a union, or the schema itself.
function partsOf (schema: TSchema): TSchema[] {
  const { anyOf, oneOf = anyOf } = schema
  return Array.isArray(oneOf) ? (oneOf as TSchema[]).flatMap(partsOf) : [schema]
}

// The types that JSON of this schema may have; undefined: any.
function typesOf (schema: TSchema): Set<string> | undefined {
  const types = new Set<string>()
  for (const part of partsOf(schema)) {
    const found = namesOf(part)
    if (found === undefined) return undefined
    for (const name of found) types.add(name)
  }
  if (schema['nullable'] === true) types.add('null')
  return types
}

function namesOf ({ type, const: constant, enum: values }: TSchema): string[] | undefined {
  if (type !== undefined) return [type].flat() as string[]
  if (constant !== undefined) return [typeOf(constant)]
  return Array.isArray(values) ? values.map(typeOf) : undefined
}

function typeOf (value: unknown): string {
  return value === null ? 'null' : typeof value
}

// The texts that a schema lists; undefined if it allows others.
function textsOf (schema: TSchema): readonly string[] | undefined {
  const lists = partsOf(schema).filter((part) => part['type'] !== 'null').map(({ const: constant, enum: values }) =>
    constant === undefined ? values as unknown : [constant])
  if (!lists.every(Array.isArray)) return undefined
  const texts = (lists as unknown[][]).flat().filter((value) => value !== null)
  return texts.every((text) => typeof text === 'string') && texts.length > 0 ? texts as string[] : undefined
}

// 0.01 has two decimals, and 1e-7 seven.
function decimalsOf (step: number): number {
  const [mantissa, exponent = '0'] = String(step).split('e')
  return Math.max(0, (mantissa!.split('.')[1]?.length ?? 0) - Number(exponent))
}
