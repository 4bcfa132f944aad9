import express from 'express'
import preconditions from 'express-preconditions'
import { serve } from '../../dist/bench/serve.js'

// The middleware compares with the state that it is told, and the handler writes later: nothing holds the two together.
const app = express()
const offers = new Map()
let version = 0
app.disable('etag')
app.disable('x-powered-by')
app.use(express.json({ limit: '2mb' }))
app.use(preconditions({ stateAsync: async (request) => ({ etag: offers.get(request.url)?.etag }) }))
app.get('/offers/:id', (request, response) => {
  const { etag, value } = offers.get(request.url)
  response.set('ETag', etag).json(value)
})
app.put('/offers/:id', (request, response) => {
  const etag = `"${++version}"`
  offers.set(request.url, { etag, value: request.body })
  response.set('ETag', etag).json(request.body)
})
const server = app.listen(0, '127.0.0.1', () => {
  serve(`http://127.0.0.1:${server.address().port}`, () => process.exit())
})
