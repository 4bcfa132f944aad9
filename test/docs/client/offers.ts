import { ConflictError, createClient, OutcomeUnknownError, type Current } from 'fastify-if-match/client'

export interface Offer { title: string, price: number }

const client = createClient()

/** A change that a program makes: GET, change, PUT with If-Match, and again after a conflict. */
export async function raise (url: string): Promise<Offer> {
  const { value } = await client.update<Offer>(url, (offer) => { offer.price++ })
  return value
}

/** A change that a person made: `edited` has the tag under which the form was filled. */
export async function save (url: string, edited: Current<Offer>): Promise<string> {
  try {
    const { etag } = await client.write(url, edited.value, { etag: edited.etag })
    return `saved as ${etag}`
  } catch (error) {
    if (error instanceof ConflictError) return `somebody else wrote ${JSON.stringify(error.current?.value)}`
    if (error instanceof OutcomeUnknownError) return 'perhaps saved: read it again before you save again'
    throw error
  }
}
