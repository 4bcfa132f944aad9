import type { OfferContent } from './record.js'

/** Why this draft cannot be published; undefined if it can (CPP §3, 422 of publish). */
export function flawOfDraft ({ definition }: OfferContent): string | undefined {
  const { displayText, plans } = definition ?? {}
  if (displayText === undefined || displayText.trim() === '') return 'definition/displayText is empty: give the offer a name'
  if (plans === undefined || plans.length === 0) return 'definition/plans is empty: an offer is sold by its plans'
  const ids = plans.map(({ planId }) => planId)
  const twice = ids.find((id, at) => ids.indexOf(id) !== at)
  if (twice !== undefined) return `definition/plans has the plan "${twice}" twice`
  return undefined
}

/** Why the certification is going to reject it; undefined if it is not: it fetches every image, and only over https. */
export function flawOfImages ({ definition }: OfferContent): string | undefined {
  for (const plan of definition?.plans ?? []) {
    for (const [version, url] of imagesOf(plan)) {
      if (typeof url !== 'string' || !/^https:\/\//i.test(url)) return `The image ${version} of the plan "${plan.planId}" cannot be fetched: its osVhdUrl is no https address.`
    }
  }
  return undefined
}

// The addresses of the images by their versions, as the offer types that are known have them (CPP §5).
function imagesOf (plan: Record<string, unknown>): Array<[string, unknown]> {
  const maps = [plan['microsoft-azure-virtualmachines.vmImages'], plan['microsoft-azure-corevm.vmImagesPublicAzure']]
  return maps.flatMap((map) => Object.entries(Object(map)).map(([version, image]): [string, unknown] => [version, Object(image).osVhdUrl]))
}
