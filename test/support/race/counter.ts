import { get, put, type Client } from './client.js'

/** Raises the counter so often: GET, PUT with its tag, and again after a 412. Returns how often it was refused. */
export async function raise (client: Client, path: string, times: number): Promise<number> {
  let refused = 0
  for (let done = 0; done < times;) {
    const { etag, body } = await client.request(get(path))
    const { status } = await client.request(
      put(path, `If-Match: ${etag}`, JSON.stringify({ count: JSON.parse(body).count + 1 }))
    )
    if (status === 200) done++
    else if (status === 412) refused++
    else throw new Error(`status ${status}`)
  }
  return refused
}
