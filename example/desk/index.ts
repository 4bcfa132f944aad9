import { existsSync, readdirSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import fastifyStatic, { type FastifyStaticOptions } from '@fastify/static'
import type { FastifyPluginAsync } from 'fastify'
import { includesDevelopmentToken, type Token } from '../app/tokens.js'
import { PAGE_POLICY, pageDocument } from './document.js'

/** What the page is served with. */
export interface DeskOptions {
  /** The page shows those of development alone. */
  tokens: readonly Token[]
}

const COMPILED = join(import.meta.dirname, 'page')
// tsc compiles the modules, and leaves the style sheet and the icon where they are: in the same place of the source.
const ROOT = rootOf(import.meta.dirname)
const SOURCE = join(ROOT, relative(join(ROOT, 'dist'), COMPILED))

/** The modules that every visit needs. The messages are missing: a visit needs one language of them. */
const MODULES = readdirSync(COMPILED, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.js') && !/^messages.(?!translate)/.test(name))
  .map((name) => `/desk/${name.replaceAll('\\', '/')}`)
  .sort()

/**
 * The offer desk: a page at `/` for people, which calls the API as any client does. Its files are at `/desk/`, those of
 * packages as they are installed. It needs no token: the person signs in on it.
 */
export const desk: FastifyPluginAsync<DeskOptions> = async (app, { tokens }) => {
  const known = tokens
    .filter((token) => includesDevelopmentToken([token]))
    .map(({ secret, roles }) => ({ secret, publishers: [...roles.keys()] }))
  const document = pageDocument(MODULES, known)
  app.addHook('onRequest', async (_request, reply) => {
    reply.headers({ 'content-security-policy': PAGE_POLICY, 'cache-control': 'no-cache' })
  })
  app.get('/', { schema: { hide: true } }, async (_request, reply) =>
    reply.type('text/html; charset=utf-8').send(document))
  // The folder of its files, which people find in the tools of their browser.
  app.get('/desk', { schema: { hide: true } }, async (_request, reply) => reply.redirect('/'))

  const files: Pick<FastifyStaticOptions, 'decorateReply' | 'cacheControl' | 'index' | 'allowedPath'> = {
    decorateReply: false,
    cacheControl: false,
    index: false,
    allowedPath: (path) => /\.(?:m?js|css|svg)$/.test(path)
  }
  await app.register(fastifyStatic, { ...files, root: [COMPILED, SOURCE], prefix: '/desk/' })
  await app.register(fastifyStatic, { ...files, root: folderOf('lit-html'), prefix: '/desk/packages/lit-html/' })
  await app.register(fastifyStatic, {
    ...files,
    root: join(folderOf('node-diff3'), 'dist'),
    prefix: '/desk/packages/node-diff3/'
  })
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
