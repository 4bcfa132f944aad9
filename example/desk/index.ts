import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import fastifyStatic, { type FastifyStaticOptions } from '@fastify/static'
import type { FastifyPluginAsync } from 'fastify'
import { includesDevelopmentToken, type Token } from '../app/tokens.js'
import { pageDocument } from './document.js'

/** What the page is served with. */
export interface DeskOptions {
  /** The page shows those of development alone. */
  tokens: readonly Token[]
}

const COMPILED = join(import.meta.dirname, 'page')
// tsc compiles the modules, and leaves the style sheet and the icon where they are: in the same place of the source.
const ROOT = rootOf(import.meta.dirname)
const SOURCE = join(ROOT, relative(join(ROOT, 'dist'), COMPILED))

const MODULES = readdirSync(COMPILED, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.js'))
  .map((name) => name.replaceAll('\\', '/'))
  .sort()

/** The modules that every visit needs. The messages are missing: a visit needs one language of them. */
const PRELOADED = MODULES.filter((name) => !/^messages.(?!translate)/.test(name))

/** For files whose address changes with their content. */
const FOR_GOOD = 'public, max-age=31536000, immutable'

/**
 * The offer desk: a page at `/` for people, which calls the API as any client does. Its files are below `/desk/`, in a
 * folder that is named by their content, so that browsers keep them; those of packages are served as they are
 * installed. It needs no token: the person signs in on it.
 */
export const desk: FastifyPluginAsync<DeskOptions> = async (app, { tokens }) => {
  const known = tokens
    .filter((token) => includesDevelopmentToken([token]))
    .map(({ secret, roles }) => ({ secret, publishers: [...roles.keys()] }))
  const folder = `desk/${digestOfFiles()}`
  const { document, policy } = pageDocument({ folder, modules: PRELOADED, tokens: known })
  app.addHook('onRequest', async (_request, reply) => {
    reply.headers({ 'content-security-policy': policy, 'cache-control': 'no-cache' })
  })
  app.get('/', { schema: { hide: true } }, async (_request, reply) =>
    reply.type('text/html; charset=utf-8').send(document))
  // The folder of its files, which people find in the tools of their browser.
  app.get('/desk', { schema: { hide: true } }, async ({ raw }, reply) =>
    reply.redirect(/^[^?]*\/(\?|$)/.test(raw.url!) ? '..' : '.'))

  const files: Pick<FastifyStaticOptions, 'decorateReply' | 'cacheControl' | 'index' | 'allowedPath'> = {
    decorateReply: false,
    cacheControl: false,
    index: false,
    allowedPath: (path) => /\.(?:m?js|css|svg)$/.test(path)
  }
  await app.register(async (app) => {
    app.addHook('onSend', async (_request, reply) => {
      if (reply.statusCode < 400) reply.header('cache-control', FOR_GOOD)
    })
    await app.register(fastifyStatic, { ...files, root: [COMPILED, SOURCE], prefix: '/' })
    for (const [name, below] of PACKAGES) {
      const root = join(folderOf(name), below)
      await app.register(fastifyStatic, { ...files, root, prefix: `/packages/${name}/` })
    }
  }, { prefix: `/${folder}` })
}

/** The packages of the page, and which of their folders browsers are to see. */
const PACKAGES = [['lit-html', ''], ['node-diff3', 'dist']] as const

/** A name for the content of all files: of the packages, their versions tell. */
function digestOfFiles (): string {
  const hash = createHash('sha256')
  const files = [
    ...MODULES.map((name) => join(COMPILED, name)),
    ...['style.css', 'icon.svg'].map((name) => join(SOURCE, name)),
    ...PACKAGES.map(([name]) => join(folderOf(name), 'package.json'))
  ]
  for (const file of files) hash.update(readFileSync(file)).update('\n')
  return hash.digest('hex').slice(0, 12)
}

/** The folder of the package that this file belongs to. */
function rootOf (folder: string): string {
  return existsSync(join(folder, 'package.json')) ? folder : rootOf(dirname(folder))
}

/** The folder of a package that is installed. What Node would import of it may be another file than for browsers. */
function folderOf (name: string): string {
  const file = fileURLToPath(import.meta.resolve(name))
  const folder = join('node_modules', name)
  return file.slice(0, file.lastIndexOf(folder) + folder.length)
}
