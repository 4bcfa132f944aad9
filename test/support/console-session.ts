import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'

// It ends a session that hangs; no other takes as long.
const TIMEOUT = 60_000

/** The block of a page in this language that contains a text. */
export function blockOf (page: string, language: string, containing: string): string {
  const found = readFileSync(page, 'utf8')
    .split('```')
    .find((part) => part.startsWith(`${language}\n`) && part.includes(containing))
  if (found === undefined) throw new Error(`${page} has no ${language} block with ${containing}`)
  return found.slice(language.length + 1)
}

/**
 * Runs a terminal session as it is printed, against a server at this address.
 *
 * @returns what the session said, and what the page prints. Tags and ids are random, so they are numbered in both: only
 * which of them are the same can be compared.
 */
export async function runSession (block: string, url: string): Promise<{ said: string, printed: string }> {
  const lines = block.trimEnd().split('\n').filter((line) => line !== '')
  const isCommand = (line: string): boolean => line.startsWith('$ ') || line.startsWith('  ')
  const script = lines
    .filter(isCommand)
    .map((line) => line.replace(/^\$ /, ''))
    .join('\n')
    .replaceAll('http://127.0.0.1:3000', url)
  const shell = spawn('bash', ['-eu'], { stdio: ['pipe', 'pipe', 'inherit'], timeout: TIMEOUT })
  shell.stdin.end(script)
  const [said] = await Promise.all([text(shell.stdout), once(shell, 'exit')])
  return { said: comparable(said), printed: comparable(lines.filter((line) => !isCommand(line)).join('\n')) }
}

function comparable (output: string): string {
  const tagged = numbered(output, /(?<=^\d{3} )"[^"]+"$/gm, 'tag')
  const withIds = numbered(tagged, /[0-9a-f]{8}-[0-9a-f-]{27}/g, 'id')
  return withIds.replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z/g, '(time)').replace(/ +$/gm, '').trimEnd()
}

function numbered (output: string, what: RegExp, name: string): string {
  const seen: string[] = []
  return output.replace(what, (found) => {
    if (!seen.includes(found)) seen.push(found)
    return `(${name} ${seen.indexOf(found)})`
  })
}
