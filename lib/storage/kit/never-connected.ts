/** Whether Node.js says that no connection was made, so nothing was sent: the host refused it, or has no address. */
export function neverConnected (error: unknown): boolean {
  const { syscall, errors } = Object(error) as { syscall?: unknown, errors?: unknown }
  // An AggregateError has an error for each address of the host. An empty list says nothing.
  if (Array.isArray(errors) && errors.length > 0) return errors.every(neverConnected)
  return syscall === 'connect' || syscall === 'getaddrinfo'
}
