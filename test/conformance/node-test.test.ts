import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { engineSubject } from './engine.js'
import { casesOf, failingCases } from './failing-cases.js'

const fixture = fileURLToPath(new URL('fixtures/node-test.js', import.meta.url))

async function runFixture (...args: string[]): Promise<{ code: number, passed: string[], failed: string[] }> {
  return await new Promise((resolve) => {
    execFile(process.execPath, ['--test-reporter=tap', fixture, ...args], { maxBuffer: 2 ** 24 }, (error, stdout) => {
      const lines = (pattern: RegExp) =>
        [...stdout.matchAll(pattern)].map((match) => match[1]!.replaceAll(/\\(.)/g, '$1'))
      resolve({
        code: Number(error?.code ?? 0),
        passed: lines(/^ok \d+ - (.*)$/gm),
        failed: lines(/^not ok \d+ - (.*)$/gm)
      })
    })
  })
}

await t.test('conformance suite: runs under node:test, every case as a test of its own', async (t) => {
  const { code, passed, failed } = await runFixture()
  t.same({ code, failed }, { code: 0, failed: [] })
  t.same(passed, [...(await casesOf({ createAdapter: async () => engineSubject() })).keys()])
})

await t.test('conformance suite: a broken adapter fails the same cases under node:test', async (t) => {
  const { code, failed } = await runFixture('broken')
  t.equal(code, 1)
  t.same(failed, await failingCases({ createAdapter: async () => engineSubject(() => ({ removeRow: () => {} })) }))
})
