import type { OfferContent } from './record.js'

/** Why this draft cannot be published; undefined if it can (CPP §3, 422 of publish). */
export function flawOfDraft ({ definition }: OfferContent): string | undefined {
  const { displayText, plans } = definition ?? {}
  if (displayText === undefined || displayText.trim() === '') { return 'definition/displayText is empty: give the offer a name' }
  if (plans === undefined || plans.length === 0) return 'definition/plans is empty: an offer is sold by its plans'
  const seen = new Set<string>()
  for (const { planId } of plans) {
    if (seen.has(planId)) return `definition/plans has the plan "${shortened(planId)}" twice`
    seen.add(planId)
  }
  return undefined
}

/** Why the certification is going to reject it; undefined if it is not: it fetches every image, and only over https. */
export function flawOfImages ({ definition }: OfferContent): string | undefined {
  for (const plan of definition?.plans ?? []) {
    for (const [version, url] of imagesOf(plan)) {
      if (!isHttps(url)) { return `The image ${shortened(version)} of the plan "${shortened(plan.planId)}" cannot be fetched: its osVhdUrl is no https address.` }
    }
  }
  return undefined
}

// The addresses of the images by their versions, as the offer types that are known have them (CPP §5). The schema leaves
// these fields open, so they may hold anything.
function imagesOf (plan: Record<string, unknown>): Array<[string, unknown]> {
  const maps = [plan['microsoft-azure-virtualmachines.vmImages'], plan['microsoft-azure-corevm.vmImagesPublicAzure']]
  return maps
    .filter(isObject)
    .flatMap((map) =>
      Object.entries(map).map(([version, image]): [string, unknown] => [
        version,
        isObject(image) ? image.osVhdUrl : undefined
      ])
    )
}

// A name may be as long as a document, and what is told of it is kept with the publication.
function shortened (name: string): string {
  return name.length > 100 ? `${name.slice(0, 100)}…` : name
}

function isObject (value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

// The parser of URLs alone would let pass what it mends, such as https:host.
function isHttps (url: unknown): boolean {
  return typeof url === 'string' && /^https:\/\//i.test(url) && URL.canParse(url)
}
