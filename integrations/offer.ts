export * from '../test/docs/write-an-adapter/offer.js'
