/** Which view the address of the page names, behind its `#`. */
export type Route =
  | { view: 'list', publisher: string | undefined }
  | { view: 'new', publisher: string }
  | { view: 'demo', publisher: string }
  | { view: 'offer', publisher: string, offer: string }
  | { view: 'slot', publisher: string, offer: string, slot: 'preview' | 'production' }

/** The route of an address such as `#/offers/contoso/reef-db`; the list for any that is none. */
export function routeOf (hash: string): Route {
  const [view, publisher, offer, slot] = hash.replace(/^#\/?/, '').split('/').map(decoded)
  if (view === 'new' && publisher) return { view, publisher }
  if (view === 'demo' && publisher) return { view, publisher }
  if (view === 'offers' && publisher && offer) {
    return slot === 'preview' || slot === 'production'
      ? { view: 'slot', publisher, offer, slot }
      : { view: 'offer', publisher, offer }
  }
  return { view: 'list', publisher: view === 'offers' && publisher ? publisher : undefined }
}

/** The address of a route. */
export function hashOf (route: Route): string {
  const parts = route.view === 'list'
    ? ['offers', route.publisher ?? '']
    : route.view === 'offer' || route.view === 'slot'
      ? ['offers', route.publisher, route.offer, ...(route.view === 'slot' ? [route.slot] : [])]
      : [route.view, route.publisher]
  return `#/${parts.map(encodeURIComponent).join('/')}`
}

// What a person typed into the address may be no encoding.
function decoded (text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
