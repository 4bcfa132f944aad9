import { posix } from 'node:path'
import { moved } from './places.js'

/** Where the pages of this repository are. */
export const REPOSITORY = 'https://github.com/fastify-if-match/fastify-if-match/blob/main'

/** A page where it is in a fork: its links lead to what went along, or else to the repository. */
export function movedPage (path: string, text: string, has: (path: string) => boolean): string {
  const folder = posix.dirname(moved(path))
  return text
    .replace(/\]\((?!https?:|#)([^)#\s]+)/g, (_, link: string) => {
      const target = posix.join(posix.dirname(path), link)
      return `](${has(target) ? posix.relative(folder, moved(target)) : `${REPOSITORY}/${target}`}`
    })
    .replace(/(?<=`)(?:test\/)?example\/[\w./]*(?=`)/g, (name) => moved(name.replace(/\/$/, '')) + '/')
}
