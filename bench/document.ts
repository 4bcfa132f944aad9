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
 * takes to have this size, or a bit more. It is ASCII, so characters are bytes.
 */
export function documentOf (kilobytes: number): string {
  const plans = [plan('small', 'Small', 49.5), plan('large', 'Large', 490)]
  let length = JSON.stringify(offer(plans)).length
  for (let number = 0; length < kilobytes * 1024; number++) {
    const another = plan(`plan-${number}`, `Plan ${number}`, number)
    plans.push(another)
    length += JSON.stringify(another).length + 1
  }
  return JSON.stringify(offer(plans))
}
