import type { OfferContent } from './record.js'

/** Why this draft cannot be published; undefined if it can (reading 19). */
export function flawOfDraft ({ definition }: OfferContent): string | undefined {
  const { displayText = '', plans = [] } = definition ?? {}
  if (displayText.trim() === '') return 'definition/displayText is empty: give the offer a name'
  if (plans.length === 0) return 'definition/plans is empty: an offer is sold by its plans'
  const seen = new Set<string>()
  for (const { planId } of plans) {
    if (seen.has(planId)) return `definition/plans has the plan "${shortened(planId)}" twice`
    seen.add(planId)
  }
  return undefined
}

/** Why the certification is going to reject it; undefined if it is not. It fetches every image, over https alone. */
export function flawOfImages ({ definition }: OfferContent): string | undefined {
  for (const plan of definition?.plans ?? []) {
    for (const [version, url] of imagesOf(plan)) {
      if (isHttps(url)) continue
      const image = `The image ${shortened(version)} of the plan "${shortened(plan.planId)}"`
      return `${image} cannot be fetched: its osVhdUrl is no https address.`
    }
  }
  return undefined
}

// The addresses of the images by their versions, in the fields of the two types of offers that are known. The schema
// leaves these fields open, so they may hold anything.
function imagesOf (plan: Record<string, unknown>): Array<[version: string, url: unknown]> {
  const maps = [plan['microsoft-azure-virtualmachines.vmImages'], plan['microsoft-azure-corevm.vmImagesPublicAzure']]
  const images = maps.filter(isObject).flatMap((map) => Object.entries(map))
  return images.map(([version, image]) => [version, isObject(image) ? image.osVhdUrl : undefined])
}

// A name may be as long as a document, and the flaw is kept with the publication.
function shortened (name: string): string {
  return name.length > 100 ? `${name.slice(0, 100)}…` : name
}

function isObject (value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

// The URL parser alone would accept what it mends, such as https:host.
function isHttps (url: unknown): boolean {
  return typeof url === 'string' && /^https:\/\//i.test(url) && URL.canParse(url)
}
