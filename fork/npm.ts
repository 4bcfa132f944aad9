import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/**
 * Runs npm, the one that runs this script if it is one. Its output is in the error if it fails.
 *
 * @param args none of them is of the person, since Windows gives them to a shell
 */
export async function npm (args: readonly string[], folder: string, signal: AbortSignal): Promise<void> {
  const script = process.env['npm_execpath']
  const isScript = script !== undefined && /npm-cli\.[cm]?js$/.test(script)
  const [file, ...first] = isScript ? [process.execPath, script] : ['npm'] as [string, ...string[]]
  const shell = !isScript && process.platform === 'win32'
  await promisify(execFile)(file!, [...first, ...args], { cwd: folder, signal, shell, maxBuffer: 2 ** 24 })
}
