/** What an adapter of Prisma makes of the error of its driver (engine-facts#prisma-sqlstate). */
interface OfPrisma {
  kind?: unknown
  originalCode?: unknown
  originalMessage?: unknown
  /** Of MySQL: the number. Of PostgreSQL: the SQLSTATE. */
  code?: unknown
  /** Of MySQL: the SQLSTATE. */
  state?: unknown
  extendedCode?: unknown
  constraint?: { index?: unknown }
  message?: unknown
}

/**
 * The error inside of an error: the driver's inside that of an ORM. TypeORM calls it `driverError`, Sequelize
 * `original`, Prisma has it in `meta`, and all others as the cause. Undefined if there is none.
 */
export function innerError (error: unknown): unknown {
  const { driverError, original, meta, cause } = Object(error) as Record<string, unknown>
  const ofPrisma = (Object(meta) as { driverAdapterError?: unknown }).driverAdapterError
  if (ofPrisma !== undefined) return ofDriver(Object((ofPrisma as { cause?: unknown }).cause)) ?? ofPrisma
  return driverError ?? (original instanceof Error ? original : undefined) ?? cause ?? undefined
}

/**
 * The error of the driver, as the driver would have thrown it. Prisma keeps its codes in an object that is no error.
 * Which engine it was is told by the form of the code: an SQLSTATE has five letters, a number of MySQL has four digits,
 * and a result of SQLite is a name.
 */
function ofDriver (found: OfPrisma): Error | undefined {
  const { kind, originalCode, originalMessage, code, state, extendedCode, constraint } = found
  if (kind === 'DatabaseNotReachable') return made(found, { syscall: 'connect' })
  if (kind === 'sqlite') return made(found, { code: 'ERR_SQLITE_ERROR', errcode: extendedCode })
  const told = String(originalCode ?? code)
  if (kind === 'mysql' || /^\d{4}$/.test(told)) {
    return made(found, { errno: Number(told), sqlState: state ?? '', sqlMessage: originalMessage })
  }
  return told === 'undefined' ? undefined : made(found, { code: told, constraint: constraint?.index })
}

function made ({ kind, originalMessage, message }: OfPrisma, codes: object): Error {
  return Object.assign(new Error(String(originalMessage ?? message ?? kind)), codes)
}
