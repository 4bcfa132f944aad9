import { randomBytes } from 'node:crypto'
import pg from 'pg'
import type { Test } from 'tap'
import type { StorageAdapter } from 'fastify-if-match'
import { createStorage } from '../../../example/storage/index.js'
import { fileOf } from '../sqlite/handles.js'
import { aroundAdapter } from '../around-adapter.js'

// The address of an engine, where the tests of the server are to run with one.
const ENGINE = process.env.EXAMPLE_STORAGE

/** A value of STORAGE for this test: an empty store that server processes can share, and that no other test sees. */
export async function sharedSetting (t: Test): Promise<string> {
  return ENGINE === undefined ? `sqlite:${fileOf(t)}` : await placeIn(t, ENGINE)
}

/** An empty storage of the server, which closes with its app. */
export async function newStorage (t: Test): Promise<StorageAdapter> {
  return await createStorage(ENGINE === undefined ? 'memory:' : await placeIn(t, ENGINE))
}

/** How to make each storage that needs no engine; or that of the engine alone. */
export const storages: Readonly<Record<string, (t: Test) => Promise<StorageAdapter>>> = ENGINE === undefined
  ? { memory: newStorage, sqlite: async (t) => await createStorage(await sharedSetting(t)) }
  : { [ENGINE.split(':')[0]!]: newStorage }

/** Runs a test with each of them. */
export async function withEachStorage (
  t: Test,
  name: string,
  body: (t: Test, storage: StorageAdapter) => Promise<void>
): Promise<void> {
  for (const [kind, make] of Object.entries(storages)) {
    await t.test(`${name} (${kind})`, async (t) => {
      await body(t, await make(t))
    })
  }
}

/** A storage that notes its calls. */
export async function countingStorage (t: Test): Promise<{ storage: StorageAdapter, calls: string[] }> {
  const calls: string[] = []
  const storage = aroundAdapter(await newStorage(t), async (step, operation, key) => {
    calls.push(`${operation} ${key}`)
    return await step()
  })
  return { storage, calls }
}

/** A storage that notes the size of each value that is written, in bytes of JSON. */
export async function measuringStorage (t: Test): Promise<{ storage: StorageAdapter, sizes: number[] }> {
  const measured = await newStorage(t)
  const sizes: number[] = []
  const storage: StorageAdapter = {
    ...measured,
    async write (key, value, expectation, options) {
      sizes.push(Buffer.byteLength(JSON.stringify(value)))
      return await measured.write(key, value, expectation, options)
    }
  }
  return { storage, sizes }
}

/** A storage where, after `meet(n)`, the next n writes wait for each other, so that none of them has seen another. */
export async function meetingStorage (t: Test): Promise<{ storage: StorageAdapter, meet: (writers: number) => void }> {
  let missing = 0
  let open: () => void
  let all: Promise<void> | undefined
  const storage = aroundAdapter(await newStorage(t), async (step, operation) => {
    if (operation === 'write' && missing > 0) {
      if (--missing === 0) open()
      await all
    }
    return await step()
  })
  return {
    storage,
    meet (writers) {
      missing = writers
      all = new Promise((resolve) => { open = resolve })
    }
  }
}

/** A storage whose operations of this kind wait until they are released; `begun` resolves when the first one waits. */
export async function heldStorage (
  t: Test,
  held: 'read' | 'write'
): Promise<{ storage: StorageAdapter, begun: Promise<void>, release: () => void }> {
  let begin!: () => void
  const begun = new Promise<void>((resolve) => { begin = resolve })
  let release!: () => void
  const released = new Promise<void>((resolve) => { release = resolve })
  const storage = aroundAdapter(await newStorage(t), async (step, operation) => {
    if (operation === held) {
      begin()
      await released
    }
    return await step()
  })
  return { storage, begun, release }
}

/**
 * A value of STORAGE for a place of the test's own in an engine that others use too: a schema, a database, or a prefix
 * of keys.
 */
export async function placeIn (t: Test, engine: string): Promise<string> {
  const name = `t${randomBytes(8).toString('hex')}`
  const scheme = engine.split(':', 1)[0]
  if (scheme === 'postgres') {
    await onPostgres(engine, `CREATE SCHEMA ${name}`)
    t.teardown(async () => { await onPostgres(engine, `DROP SCHEMA ${name} CASCADE`) })
    return `${engine}?options=-csearch_path%3D${name}`
  }
  if (scheme === 'mysql' || scheme === 'mariadb') {
    await onMysql(engine, `CREATE DATABASE ${name}`)
    t.teardown(async () => { await onMysql(engine, `DROP DATABASE ${name}`) })
    return engine.replace(/[^/]*$/, name)
  }
  return `${engine}?prefix=${name}/`
}

async function onPostgres (connectionString: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}

// Most tests need no driver of MySQL, and it takes a while to load.
async function onMysql (uri: string, statement: string): Promise<void> {
  const { createConnection } = await import('mysql2/promise')
  const connection = await createConnection({ uri })
  try {
    await connection.query(statement)
  } finally {
    await connection.end()
  }
}
