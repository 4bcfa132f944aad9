/**
 * The outcome of a promise, or the error that `late` makes if the promise has not settled in time. The operation behind
 * the promise goes on: a client that stops waiting stops nothing on the server
 * (engine-facts#any-engine-client-timeout).
 */
export function within<R> (milliseconds: number, promise: Promise<R>, late: () => Error): Promise<R> {
  // One promise, where Promise.race makes several: each statement and each command comes by here.
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => { reject(late()) }, milliseconds)
    promise.then(
      (result) => {
        clearTimeout(timer)
        resolve(result)
      },
      (error: Error) => {
        clearTimeout(timer)
        reject(error)
      }
    )
  })
}
