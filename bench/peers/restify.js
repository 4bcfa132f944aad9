import restify from 'restify'
import { serve } from '../../dist/bench/serve.js'

// `conditionalRequest` compares with the tag that a handler before it set, and a handler after it writes.
const server = restify.createServer()
const offers = new Map()
let version = 0
server.use(restify.plugins.bodyParser({ maxBodySize: 2 * 1024 * 1024 }))
server.use((request, response, next) => {
  const offer = offers.get(request.url)
  response.etag = offer?.tag
  if (offer !== undefined && request.method === 'GET') response.header('ETag', `"${offer.tag}"`)
  next()
})
server.use(restify.plugins.conditionalRequest())
server.get('/offers/:id', (request, response, next) => {
  response.send(offers.get(request.url).value)
  next()
})
server.put('/offers/:id', (request, response, next) => {
  const tag = String(++version)
  offers.set(request.url, { tag, value: request.body })
  response.header('ETag', `"${tag}"`)
  response.send(200, request.body)
  next()
})
server.listen(0, '127.0.0.1', () => {
  serve(`http://127.0.0.1:${server.address().port}`, () => process.exit())
})
