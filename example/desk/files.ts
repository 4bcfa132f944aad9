import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync, type Stats } from 'node:fs'
import { join } from 'node:path'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance } from 'fastify'

/** Folders of files for browsers, and the path that they have in common, such as `packages/lit-html/`. */
export interface ServedFolders { roots: string[], path: string }

/** For files whose address changes with their content. */
const FOR_GOOD = 'public, max-age=31536000, immutable'

/** The names of the files of a folder that browsers may see: no sources, and no builds of a package for others. */
export function namesIn (root: string): string[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .map((name) => name.replaceAll('\\', '/'))
    .filter(isShown)
    .sort()
}

function isShown (name: string): boolean {
  return /^(?!\/?(?:development|node)\/).*\.(?:m?js|css|svg)$/.test(name)
}

/**
 * Serves these folders below a path that is named by the content of all their files, so that browsers keep them for
 * good. A file that became another one since is served as well, and kept by nobody: a server that goes back to the
 * content of before would give the same addresses again.
 *
 * @returns that path, without a slash ahead: `desk/0a1b2c3d4e5f`
 */
export async function serveFiles (app: FastifyInstance, folders: readonly ServedFolders[]): Promise<string> {
  const known = new Map<string, string>()
  const hash = createHash('sha256')
  for (const { roots, path } of folders) {
    for (const root of roots) {
      for (const name of namesIn(root)) {
        const file = join(root, name)
        // Ahead of the content: a file that changes in between is taken for changed.
        known.set(file, stateOf(statSync(file)))
        hash.update(`${path}${name}\n`).update(readFileSync(file)).update('\n')
      }
    }
  }
  const folder = `desk/${hash.digest('hex').slice(0, 12)}`
  await app.register(async (files) => {
    const unchanged = new WeakSet<object>()
    files.addHook('onSend', async (_request, reply) => {
      if (unchanged.has(reply.raw)) reply.header('cache-control', FOR_GOOD)
    })
    for (const { roots, path } of folders) {
      await files.register(fastifyStatic, {
        root: roots,
        prefix: `/${path}`,
        decorateReply: false,
        cacheControl: false,
        index: false,
        allowedPath: isShown,
        setHeaders (response, file, stat) {
          if (known.get(file) === stateOf(stat as Stats)) unchanged.add(response)
        }
      })
    }
  }, { prefix: `/${folder}` })
  return folder
}

/** What changes with a file, whether it is written again or replaced. Packages have the same time in each version. */
function stateOf ({ mtimeMs, size, ino }: Stats): string {
  return `${mtimeMs} ${size} ${ino}`
}
