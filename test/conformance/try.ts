import { casesOf } from './failing-cases.js'
import { transactionSubject } from './transactions.js'
for (const d of ['locks', 'turns', 'checks'] as const) {
  const t0 = Date.now()
  for (const [title, run] of await casesOf({ createAdapter: async () => transactionSubject(d), transactions: true })) {
    const timer = setTimeout(() => { console.log('HANG', title) }, 1000)
    const s = performance.now()
    try { await run() } catch (e) { console.log(d, title, e) }
    clearTimeout(timer)
    const took = performance.now() - s
    if (took > 20) console.log(d, title, took)
  }
  console.log(d, Date.now() - t0)
}
