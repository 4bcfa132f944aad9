export * from '../test/docs/write-an-adapter/anything.js'
