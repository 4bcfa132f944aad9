import type { Client, Written } from 'fastify-if-match/client'

interface Comment { id: string, text: string }
interface Page { comments: Comment[] }

/** Adds a comment once, whatever becomes of the answers: its id says whether it is there. */
export async function comment (client: Client, url: string, text: string): Promise<Written<Page>> {
  const id = crypto.randomUUID()
  return await client.update<Page>(url, (page) => { page.comments.push({ id, text }) }, {
    isApplied: (page) => page.comments.some((comment) => comment.id === id)
  })
}
