// Knex writes the statement before the message of the driver's error, on SQLite and MySQL with its values.
const WITH_STATEMENT =
  /^\s*(?:select|insert|update|delete|replace|merge|with|values|begin|commit|rollback|savepoint|release)\b.* - (.*)$/is

// Sequelize adds the statement and its parameters to it.
const ADDED = ['sql', 'parameters']

/**
 * An error of a driver without the statement that a query builder wrote onto it, whose values must not reach a log
 * (engine-facts#any-orm-error-quotes-values). It is a copy, because the app may hold the error; what has no statement
 * is given back as it is.
 */
export function bareError (error: unknown): unknown {
  if (!(error instanceof Error)) return error
  const { message, stack, name } = error
  const bareMessage = WITH_STATEMENT.exec(message)?.[1] ?? message
  if (bareMessage === message && !ADDED.some((added) => added in error)) return error
  const bare = new Error(bareMessage, { cause: error.cause })
  const kept = Object.entries(error).filter(([member]) => !ADDED.includes(member))
  const bareStack = String(stack).replace(message, () => bareMessage)
  return Object.assign(bare, Object.fromEntries(kept), { name, stack: bareStack })
}
