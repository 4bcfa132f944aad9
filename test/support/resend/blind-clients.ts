/** What became of the changes of some clients. */
export interface Tally {
  /** Changes that a success was told for. */
  applied: number
  /** Requests that were sent again, because the connection ended without an answer. */
  resent: number
  /** 412 for a change that the client itself had applied, and nothing in the answer says so. */
  blamed: number
  /** 412 that says that the change was applied, and others wrote since. */
  superseded: number
}

interface Answer { status: number, etag: string, changes: string, ownWrite: string | undefined }

/** Sends a request, and the very same again for as long as the connection ends without an answer. */
async function sendUntilAnswered (url: string, init: RequestInit, tally: Tally): Promise<Answer> {
  for (;;) {
    try {
      const response = await fetch(url, init)
      const { changes = '', ownWrite } = await response.json() as { changes?: string, ownWrite?: string }
      return { status: response.status, etag: response.headers.get('etag') ?? '', changes, ownWrite }
    } catch {
      tally.resent++
    }
  }
}

/**
 * A client that makes changes one after the other, under the tag that it read last. It never looks before it sends a
 * request again. Refused, it reads, and tries the change under the new tag, unless it is there.
 *
 * @param direct the address past the proxy
 * @param withKey whether each change has an Idempotency-Key
 */
export async function makeChanges (
  { url, direct, names, withKey }: { url: string, direct: string, names: string[], withKey: boolean },
  tally: Tally
): Promise<void> {
  const reads = { applied: 0, resent: 0, blamed: 0, superseded: 0 }
  let { etag } = await sendUntilAnswered(direct, {}, reads)
  for (const name of names) {
    for (let isDone = false; !isDone;) {
      const answer = await sendUntilAnswered(url, {
        method: 'POST',
        headers: {
          'if-match': etag,
          'content-type': 'application/json',
          ...withKey && { 'idempotency-key': `${name}-${etag.slice(1, -1)}` }
        },
        body: JSON.stringify({ name })
      }, tally)
      isDone = answer.status === 200
      if (isDone) tally.applied++
      else if (answer.status !== 412) throw new Error(`${answer.status}`)
      etag = answer.etag
      if (isDone) continue
      const found = await sendUntilAnswered(direct, {}, reads)
      etag = found.etag
      isDone = found.changes.split(' ').includes(name)
      if (isDone && answer.ownWrite === undefined) tally.blamed++
      else if (isDone) tally.superseded++
    }
  }
}
