/**
 * The promise, or the error of `late` if it has not settled in time. What it stands for goes on: a client that stops
 * waiting stops nothing on the server (E31).
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
