import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** Runs a command to its end with these variables added, and gives its status. Ctrl-C reaches it too, and then us. */
export async function runCommand (
  command: readonly [file: string, ...args: string[]],
  variables: Record<string, string>
): Promise<number> {
  const [file, ...args] = command
  const child = spawn(file, args, {
    stdio: 'inherit',
    env: { ...process.env, ...variables },
    shell: process.platform === 'win32'
  })
  process.on('SIGINT', () => {})
  const [code] = await once(child, 'exit')
  return code ?? 1
}
