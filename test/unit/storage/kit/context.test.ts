import t from 'tap'
import { assertNoContext } from '../../../../lib/storage/kit/context.js'

await t.test('context: none is accepted; any other is refused, null too, with what to do', async (t) => {
  for (const options of [undefined, {}, { context: undefined }]) assertNoContext('acmeAdapter', options)
  for (const context of [null, 0, '', false, {}, { client: {} }, Symbol('transaction')]) {
    t.throws(() => assertNoContext('acmeAdapter', { context }), {
      code: 'FST_IF_MATCH_INVALID_OPTIONS',
      statusCode: 500,
      message: /acmeAdapter takes part in no transaction.*nothing was read or written.*Leave the context out/
    })
  }
})
