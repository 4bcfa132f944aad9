import { inspect } from 'node:util'
import type { Test } from 'tap'
import ifMatch, { type StorageAdapter } from 'fastify-if-match'
import { statementsAdapter, type StatementsAdapterOptions } from '../../../lib/storage/statements/index.js'
import { ABSENT, ANY, EXISTS, versionIn } from '../expectations.js'
import { newApp } from '../offers-app.js'
import { verbOf } from '../table/table.js'

/** What `run` gives: the rows, and how many were changed. */
export interface Answer { rows: unknown[], count: number | null }

/** A client of an engine, whose statements have parameters as $1, $2. */
export interface EngineClient { run (sql: string, values: unknown[]): Promise<Answer> }

interface Product { title: string, parent: string | null, n: number }
type Options = StatementsAdapterOptions<Product, Product, EngineClient, string>

/** An engine as a test finds it: an empty table of products. */
export interface Engine {
  client: EngineClient
  /** Runs SQL past the adapter. */
  act: (sql: string) => Promise<unknown>
  faultOf: (error: unknown) => Error | undefined
}

/** Products: a second unique key, and a reference to another row. */
export const PRODUCTS = `CREATE TABLE products (
  id text NOT NULL PRIMARY KEY, title text NOT NULL UNIQUE, parent text REFERENCES products (id),
  n integer NOT NULL CHECK (n >= 0), version text NOT NULL, replaced text, digest text, gone integer NOT NULL DEFAULT 0
)`

const COLUMNS = 'title, parent, n, version, digest'

function valuesOf (row: Record<string, unknown>): unknown[] {
  return COLUMNS.split(', ').map((column) => row[column])
}

// `IN ()` is an error in SQL, so an empty list shows.
function whereOf (id: string, values: unknown[], versions: readonly string[] | undefined): [string, unknown[]] {
  const first = values.length + 1
  if (versions === undefined) return [`WHERE id = $${first}`, [...values, id]]
  const list = versions.map((_, index) => `$${first + 1 + index}`).join()
  return [`WHERE id = $${first} AND version IN (${list})`, [...values, id, ...versions]]
}

const statements: Omit<Options, 'client' | 'faultOf'> = {
  toId: (key) => key.slice('/products/'.length),
  toColumns: (value) => value,
  toValue: ({ title, parent, n }) => ({ title, parent, n }),
  async read (client, id) {
    const { rows } = await client.run('SELECT * FROM products WHERE id = $1 AND gone = 0', [id])
    return rows[0] as never
  },
  async update (client, id, row, versions) {
    const [where, values] = whereOf(id, valuesOf({ ...row }), versions)
    const set = 'SET title = $1, parent = $2, n = $3, replaced = version, version = $4, digest = $5'
    return (await client.run(`UPDATE products ${set} ${where}`, values)).count!
  },
  async insert (client, id, row) {
    const into = `INSERT INTO products (id, ${COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO NOTHING`
    return (await client.run(into, [id, ...valuesOf({ ...row })])).count!
  },
  async remove (client, id, versions) {
    const [where, values] = whereOf(id, [], versions)
    return (await client.run(`DELETE FROM products ${where}`, values)).count!
  }
}

const KEY = '/products/wave'
const wave: Product = { title: 'Wave', parent: null, n: 1 }
const CONFLICT = { code: 'FST_IF_MATCH_CONSTRAINT', statusCode: 409 }
const FAULT = { code: 'FST_IF_MATCH_STORAGE_FAULT', statusCode: 500 }

const insertOf = (id: string, title: string, version: string): string =>
  `INSERT INTO products (id, title, n, version) VALUES ('${id}', '${title}', 1, '${version}')`

/** What an adapter of four statements makes of the errors of an engine. */
export async function engineCases (t: Test, name: string, open: (t: Test) => Promise<Engine>): Promise<void> {
  async function subject (t: Test, more: Partial<Options> = {}) {
    const { client, act, faultOf } = await open(t)
    const sent: string[] = []
    const hooks = { before: async (_verb: string): Promise<unknown> => undefined }
    const hooked: EngineClient = {
      async run (sql, values) {
        sent.push(verbOf(sql))
        await hooks.before(verbOf(sql))
        return await client.run(sql, values)
      }
    }
    const options: Options = { ...statements, client: hooked, faultOf, ...more }
    return { adapter: statementsAdapter(options), hooks, act, sent }
  }

  await t.test(`${name}: of the creators of one entity with a second unique column, one is applied, and the others are refused with its entity`, async (t) => {
    const { adapter } = await subject(t)
    for (let round = 0; round < 4; round++) {
      const key = `/products/${round}`
      const results = await Promise.all(Array.from({ length: 16 }, async () =>
        await adapter.write(key, { ...wave, title: String(round) }, ABSENT)))
      t.equal(results.filter(({ applied }) => applied).length, 1)
      const current = await adapter.read(key)
      for (const result of results) if (!result.applied) t.strictSame(result.current, current)
    }
  })

  await t.test(`${name}: a constraint is no answer to a precondition that is false by then: a creator and a writer under a tag are refused`, async (t) => {
    const { adapter, hooks, act } = await subject(t)
    // The row of the winner stands in the way by its title, and a moment later under the id.
    let winner: string[] = []
    hooks.before = async (verb) => {
      if (verb !== 'SELECT') await act(insertOf('other', 'Wave', 'x'))
      else if (winner.length > 0) {
        await act("DELETE FROM products WHERE id = 'other'")
        for (const sql of winner.splice(0)) await act(sql)
      }
    }
    winner = [insertOf('wave', 'Wave', 'theirs')]
    t.match(await adapter.write(KEY, wave, ABSENT), { applied: false, current: { version: 'theirs' } })

    winner = ["UPDATE products SET version = 'later' WHERE id = 'wave'"]
    await act("UPDATE products SET title = 'Else' WHERE id = 'wave'")
    t.match(await adapter.write(KEY, wave, versionIn('theirs')), { applied: false, current: { version: 'later' } })

    winner = ["DELETE FROM products WHERE id = 'wave'"]
    t.match(await adapter.write(KEY, wave, EXISTS), { applied: false, current: undefined })

    winner = [insertOf('wave', 'Wave', 'theirs')]
    hooks.before = async (verb) => {
      if (verb === 'INSERT') await act(insertOf('other', 'Wave', 'x'))
      if (verb === 'SELECT') {
        await act("DELETE FROM products WHERE id = 'other'")
        for (const sql of winner.splice(0)) await act(sql)
      }
    }
    t.match(await adapter.write(KEY, wave, ANY), { applied: true, created: false }, 'it replaces what was created')
  })

  await t.test(`${name}: a unique key that is taken and a row that is referred to, or is not there, are 409, and name the constraint but no content`, async (t) => {
    const { adapter, act } = await subject(t)
    await act(insertOf('other', 'a secret', 'x'))
    await adapter.write(KEY, wave, ABSENT)
    const taken = { ...wave, title: 'a secret' }
    const version = (await adapter.read(KEY))!.version
    const calls: Array<[string, () => Promise<unknown>]> = [
      ['a creation', async () => await adapter.write('/products/new', taken, ABSENT)],
      ['a creation or replacement', async () => await adapter.write('/products/new', taken, ANY)],
      ['a replacement', async () => await adapter.write(KEY, taken, EXISTS)],
      ['a replacement under a tag', async () => await adapter.write(KEY, taken, versionIn(version))]
    ]
    for (const [title, call] of calls) {
      const error = await call().then(() => undefined, (error: Error) => error)
      t.match(error, CONFLICT, title)
      t.match(inspect(error!.cause), /title/, title)
      t.notMatch(inspect(error, { depth: 9, showHidden: true }).replaceAll(/^ +at .*/gm, ''), /secret/, title)
      t.notMatch(error!.message, /title/)
    }
    t.equal((await adapter.read(KEY))?.version, version)
    await t.rejects(adapter.write(KEY, { ...wave, parent: 'nobody' }, EXISTS), CONFLICT, 'it refers to nothing')
    await adapter.write(KEY, { ...wave, parent: 'other' }, EXISTS)
    await t.rejects(adapter.remove('/products/other', EXISTS), CONFLICT, 'it is referred to')
    t.match(await adapter.read('/products/other'), { version: 'x' })
    const unfit = { code: 'FST_IF_MATCH_INVALID_VALUE', statusCode: 422, message: /constraint of the table/ }
    await t.rejects(adapter.write(KEY, { ...wave, n: -1 }, EXISTS), unfit, 'a check')
    await t.rejects(adapter.write(KEY, { ...wave, title: null as never }, EXISTS), unfit, 'no value')
  })

  await t.test(`${name}: a column or a table that is not there is 500 without Retry-After; the log has its name, and neither the log nor the answer the content`, async (t) => {
    const misspelt = async (client: EngineClient): Promise<number> =>
      (await client.run('UPDATE products SET titel = $1', ['a secret'])).count!
    const { adapter, act } = await subject(t, { update: misspelt, remove: misspelt })
    await act(insertOf('wave', 'Wave', 'x'))
    let log = ''
    const app = newApp(t, { logger: { level: 'info', stream: { write: (line: string) => { log += line } } } })
    await app.register(ifMatch, { storage: adapter as StorageAdapter })
    const config = { ifMatch: { key: '/products/:id' } }
    app.get('/products/:id', { config }, async (request) => await request.entity().read())
    app.put('/products/:id', { config }, async (request) => await request.entity().replace(request.body))
    app.delete('/products/:id', { config }, async (request) => { await request.entity().remove() })
    const answers = async (methods: string[], word: RegExp): Promise<void> => {
      for (const method of methods as ['GET']) {
        log = ''
        const payload = { ...wave, title: 'a secret' }
        const answer = await app.inject({
          method, url: KEY, headers: { 'if-match': '*' }, ...(method as string) === 'PUT' && { payload }
        })
        t.match([answer.statusCode, answer.json()], [500, { code: FAULT.code, message: /nothing was changed/ }], method)
        t.equal(answer.headers['retry-after'], undefined)
        t.match(log, word)
        t.notMatch(answer.body, word)
        t.notMatch(log + answer.body, /secret/)
      }
    }
    await answers(['PUT', 'DELETE'], /titel/)
    await act('ALTER TABLE products RENAME TO things')
    await answers(['GET', 'PUT', 'DELETE'], /products/)
    await act('ALTER TABLE things RENAME TO products')
  })

  await t.test(`${name}: a creation that meets a row which is marked as deleted is 500 that says so, and no contention`, async (t) => {
    const { adapter, act } = await subject(t)
    await act(insertOf('wave', 'Wave', 'x'))
    await act('UPDATE products SET gone = 1')
    await t.rejects(adapter.write(KEY, wave, ABSENT), { ...FAULT, message: /marked as deleted/ })
  })

  await t.test(`${name}: an empty list of versions is refused after a read, and reaches no statement`, async (t) => {
    const { adapter, act, sent } = await subject(t)
    await act(insertOf('wave', 'Wave', 'x'))
    for (const call of [adapter.write(KEY, wave, versionIn()), adapter.remove(KEY, versionIn())]) {
      t.match(await call, { applied: false, current: { version: 'x' } })
    }
    t.strictSame(sent, ['SELECT', 'SELECT'])
  })
}
