import type { QueryClient, QueryFunctionContext } from '@tanstack/query-core'  // or '@tanstack/react-query'
import { ConflictError, type Client, type Current, type Written } from 'fastify-if-match/client'

export interface Offer { title: string, price: number }

/** `useQuery(offerQuery(client, url))`: its data is the value, and the tag under which it was read. */
export function offerQuery (client: Client, url: string) {
  return {
    queryKey: ['offer', url],
    queryFn: async ({ signal }: QueryFunctionContext) => await client.read<Offer>(url, { signal }),
    retry: false                                          // the client tries again by itself
  }
}

/** `useMutation(saveOffer(client, queryClient, url))`: it takes what the form holds, and the tag that it began with. */
export function saveOffer (client: Client, queryClient: QueryClient, url: string) {
  const { queryKey } = offerQuery(client, url)
  return {
    mutationFn: async ({ value, etag }: Current<Offer>) => await client.write(url, value, { etag }),
    onSuccess ({ value, etag }: Written<Offer>) {
      if (etag !== undefined) queryClient.setQueryData(queryKey, { value, etag })
    },
    async onError (error: Error) {
      if (error instanceof ConflictError && error.current) queryClient.setQueryData(queryKey, error.current)
      else await queryClient.invalidateQueries({ queryKey })
    }
  }
}
