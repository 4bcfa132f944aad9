/**
 * The outcome of a promise, or the error that `late` makes if the promise has not settled in time. The operation behind
 * the promise goes on: a client that stops waiting stops nothing on the server
 * (engine-facts#any-engine-client-timeout).
 */
export async function within<R> (milliseconds: number, promise: Promise<R>, late: () => Error): Promise<R> {
  let timer: NodeJS.Timeout | undefined
  const bound = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => { reject(late()) }, milliseconds)
  })
  try {
    return await Promise.race([promise, bound])
  } finally {
    clearTimeout(timer)
  }
}
