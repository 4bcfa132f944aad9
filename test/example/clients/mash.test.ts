import t from 'tap'
import { clientOf, poll, serveOverHttp } from '../../support/example/client.js'
import { withEachStorage } from '../../support/example/storage.js'

// SUSE-Enceladus/mash and azure-img-utils, in Python, 2019 to 2024. They edit the document that they were given and PUT
// it with `*`; send publish and golive with a JSON content type and no body; read Location, and send GETs without a
// content type.

const IMAGES = 'microsoft-azure-corevm.vmImagesPublicAzure'

await withEachStorage(
  t,
  'mash: add an image to a plan, publish, wait for the review, go live, wait for complete',
  async (t, storage) => {
    const origin = await serveOverHttp(t, { storage, actionsIfMatch: 'optional' })
    const request = clientOf(origin, { accept: 'application/json', authorization: 'Bearer contoso-token' })
    const endpoint = (method = ''): string => `/api/publishers/contoso/offers/tide-os${method}?api-version=2017-10-31`
    const json = { 'content-type': 'application/json' }

    const process = async (method: string, path: string, headers = {}, document?: unknown): Promise<Response> => {
      const response = await request(method, path, headers, document)
      if (response.status >= 400) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`)
      return response
    }
    const read = async (path: string): Promise<any> => await (await process('GET', path)).json()

    const image = (day: string) => ({
      osVhdUrl: `https://example.org/${day}.vhd?sv=2018-03-28&sig=a%2Fb%3D`,
      label: 'Tide OS',
      mediaName: `tide-os-${day}`,
      publishedDate: '04/02/2031',
      description: 'Tide OS',
      showInGui: true,
      lunVhdDetails: []
    })
    const gen1 = {
      planId: 'gen1',
      [IMAGES]: { '2031.03.01': image('20310301') },
      diskGenerations: [{ planId: 'gen2', [IMAGES]: {} }]
    }
    await process('PUT', endpoint(), { ...json, 'if-match': '*' }, {
      offerTypeId: 'microsoft-azure-corevm',
      definition: { displayText: 'Tide OS', offer: { summary: 'x' }, plans: [gen1] }
    })

    const document = await read(endpoint())
    const [plan] = document.definition.plans
    plan[IMAGES]['2031.04.02'] = image('20310402')
    plan.diskGenerations[0][IMAGES]['2031.04.02'] = image('20310402-gen2')
    await process('PUT', endpoint(), { ...json, 'if-match': '*' }, document)
    t.strictSame((await read(endpoint())).definition, document.definition)

    const published = (await process('POST', endpoint('/publish'), json)).headers.get('location')!
    const progress: number[] = []
    await poll(
      async () => await read(published),
      ({ status, steps }) => {
        // It logs the step that is in progress, and waits for this status of the sign-off.
        const active = steps.find((step: { status: string }) => step.status === 'inProgress')
        if (active !== undefined) progress.push(active.progressPercentage)
        const signOff = steps.find((step: { id: string }) => step.id === 'publisher-signoff')
        return status === 'running' && signOff.status === 'waitingForPublisherReview'
      }
    )
    const isPart = (percentage: number): boolean =>
      Number.isInteger(percentage) && percentage >= 0 && percentage < 100
    t.ok(progress.every(isPart), 'progress')
    t.equal((await read(endpoint('/status'))).status, 'waitingForPublisherReview')

    const live = (await process('POST', endpoint('/golive'), json)).headers.get('location')!
    const { status } = await poll(
      async () => await read(live),
      ({ status }) => ['complete', 'canceled', 'failed'].includes(status)
    )
    t.equal(status, 'complete')
    t.strictSame((await read(endpoint('/slot/production'))).definition, document.definition)
  }
)

await withEachStorage(
  t,
  'mash: an image that cannot be fetched fails the publication, and a mended one is published',
  async (t, storage) => {
    const origin = await serveOverHttp(t, { storage, actionsIfMatch: 'optional' })
    const request = clientOf(origin, {
      accept: 'application/json',
      authorization: 'Bearer contoso-token',
      'content-type': 'application/json'
    })
    const url = '/api/publishers/contoso/offers/tide-os'
    const V = '?api-version=2017-10-31'
    const publish = async (osVhdUrl: string): Promise<any> => {
      await request('PUT', url + V, { 'if-match': '*' }, {
        offerTypeId: 'microsoft-azure-corevm',
        definition: { displayText: 'Tide OS', plans: [{ planId: 'a', [IMAGES]: { 1: { osVhdUrl } } }] }
      })
      const location = (await request('POST', `${url}/publish${V}`)).headers.get('location')!
      return await poll(
        async () => (await (await request('GET', location)).json()) as any,
        ({ status, steps }) => status !== 'running' || steps[4].status !== 'notStarted'
      )
    }
    const failed = await publish('ftp://example.org/a.vhd')
    t.match(failed, { status: 'failed', messages: [{ level: 'error', messageHtml: /osVhdUrl/ }] })
    t.match(await publish('https://example.org/a.vhd'), { status: 'running', messages: [] })
  }
)
