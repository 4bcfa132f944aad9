/** The document that every request carries or gets: an offer of one kilobyte, nested as offers are. */
export const document = {
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
    plans: [
      {
        planId: 'small',
        title: 'Small',
        regions: ['DE', 'FR', 'US'],
        prices: [
          { term: 'month', amount: 49.5 },
          { term: 'year', amount: 499 }
        ]
      },
      {
        planId: 'large',
        title: 'Large',
        regions: ['DE', 'FR', 'US'],
        prices: [
          { term: 'month', amount: 490 },
          { term: 'year', amount: 4990 }
        ]
      }
    ]
  }
}
