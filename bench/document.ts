const plan = (planId: string, title: string, amount: number): object => ({
  planId,
  title,
  regions: ['DE', 'FR', 'US'],
  prices: [
    { term: 'month', amount },
    { term: 'year', amount: amount * 10 }
  ]
})

const offer = (plans: readonly object[]): object => ({
  offerTypeId: 'microsoft-azure-virtualmachines',
  publisherId: 'contoso',
  definition: {
    displayText: 'Contoso Data Platform',
    offer: {
      'microsoft-azure-marketplace.title': 'Contoso Data Platform',
      'microsoft-azure-marketplace.summary':
        'Collects, cleans and serves the data of a whole company, on one machine or on a hundred of them.',
      'microsoft-azure-marketplace.categories': ['data', 'analytics', 'developer-tools'],
      'microsoft-azure-marketplace.leadDestination': 'None',
      'microsoft-azure-marketplace.supportContactEmail': 'support@contoso.example'
    },
    plans
  }
})

/**
 * The document that every request carries or gets, as JSON: an offer, nested as offers are, with as many plans as it
 * takes to have about this size. It is ASCII, so characters are bytes.
 */
export function documentOf (kilobytes: number): string {
  const plans = [plan('small', 'Small', 49.5), plan('large', 'Large', 490)]
  const missing = kilobytes * 1024 - JSON.stringify(offer(plans)).length
  const more = Math.max(0, Math.round(missing / (JSON.stringify(plan('plan-100', 'Plan 100', 100)).length + 1)))
  for (let number = 0; number < more; number++) plans.push(plan(`plan-${number}`, `Plan ${number}`, number))
  return JSON.stringify(offer(plans))
}
