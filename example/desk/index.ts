import { existsSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { FastifyPluginAsync } from 'fastify'
import { includesDevelopmentToken, type Token } from '../app/tokens.js'
import { pageDocument } from './document.js'
import { namesIn, serveFiles, type ServedFolders } from './files.js'

/** What the page is served with. */
export interface DeskOptions {
  /** The page shows those of development alone. */
  tokens: readonly Token[]
}

const COMPILED = join(import.meta.dirname, 'page')
// tsc compiles the modules, and leaves the style sheet and the icon where they are: in the same place of the source.
const ROOT = rootOf(import.meta.dirname)
const SOURCE = join(ROOT, relative(join(ROOT, 'dist'), COMPILED))

const FOLDERS: readonly ServedFolders[] = [
  { roots: [COMPILED, SOURCE], path: '' },
  { roots: [folderOf('lit-html')], path: 'packages/lit-html/' },
  { roots: [join(folderOf('node-diff3'), 'dist')], path: 'packages/node-diff3/' }
]

/** The modules that every visit needs. The messages are missing: a visit needs one language of them. */
const PRELOADED = namesIn(COMPILED).filter((name) => name.endsWith('.js') && !/^messages.(?!translate)/.test(name))

/**
 * The offer desk: a page at `/` for people, which calls the API as any client does. Its files are below `/desk/`, in a
 * folder that is named by their content; those of packages are served as they are installed. It needs no token: the
 * person signs in on it.
 */
export const desk: FastifyPluginAsync<DeskOptions> = async (app, { tokens }) => {
  const known = tokens
    .filter((token) => includesDevelopmentToken([token]))
    .map(({ secret, roles }) => ({ secret, publishers: [...roles.keys()] }))
  let policy = ''
  app.addHook('onRequest', async (_request, reply) => {
    reply.headers({ 'content-security-policy': policy, 'cache-control': 'no-cache' })
  })
  const folder = await serveFiles(app, FOLDERS)
  const page = pageDocument({ folder, modules: PRELOADED, tokens: known })
  policy = page.policy
  app.get('/', { schema: { hide: true } }, async (_request, reply) =>
    reply.type('text/html; charset=utf-8').send(page.document))
  // The folder of its files, which people find in the tools of their browser.
  app.get('/desk', { schema: { hide: true } }, async ({ raw }, reply) =>
    reply.redirect(/^[^?]*\/(\?|$)/.test(raw.url!) ? '..' : '.'))
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
