import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer, connect, type AddressInfo, type Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'

const SERVER = fileURLToPath(new URL('../../example/server.ts', import.meta.url))

// What the shell of whoever runs the tests may hold.
const UNSET = { HOST: undefined, STORAGE: undefined, TOKENS: undefined, WORKERS: undefined, LOG_LEVEL: undefined }

/** What came out of a stream or socket so far, and a promise of what it will say. */
function listen (stream: NodeJS.ReadableStream): { text: () => string, says: (what: RegExp) => Promise<RegExpExecArray> } {
  let text = ''
  const waiting = new Set<() => void>()
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
    for (const look of waiting) look()
  })
  return {
    text: () => text,
    says: async (what) => await new Promise((resolve) => {
      const look = (): void => {
        const match = what.exec(text)
        if (match === null) return
        waiting.delete(look)
        resolve(match)
      }
      waiting.add(look)
      look()
    })
  }
}

function start (t: Test, env: Record<string, string> = {}) {
  const child: ChildProcess = spawn(process.execPath, [...process.execArgv, SERVER], {
    env: { ...process.env, ...UNSET, PORT: '0', ...env }, stdio: ['ignore', 'pipe', 'pipe']
  })
  const exit = once(child, 'exit')
  t.teardown(async () => {
    child.kill('SIGKILL')
    await exit
  })
  return { child, exit, output: listen(child.stdout!), log: listen(child.stderr!) }
}

/** Sends a PUT but for the last bytes of its body, once the server has taken the head of it. */
async function beginPut (t: Test, port: string): Promise<{ socket: Socket, finish: () => void, answer: ReturnType<typeof listen> }> {
  const body = '{"offerTypeId":"x"}'
  const socket = connect(Number(port), '127.0.0.1')
  t.teardown(() => { socket.destroy() })
  const answer = listen(socket)
  socket.write([
    'PUT /api/publishers/contoso/offers/tide-db?api-version=2017-10-31 HTTP/1.1', 'Host: localhost', 'Authorization: Bearer dev-contoso',
    'If-Match: *', 'Content-Type: application/json', `Content-Length: ${body.length}`, 'Expect: 100-continue', '', body.slice(0, -2)
  ].join('\r\n'))
  await answer.says(/100 Continue/)
  return { socket, answer, finish: () => { socket.write(body.slice(-2)) } }
}

await t.test('the line that it prints works when pasted into a shell', async (t) => {
  const { output } = start(t)
  const [, line] = await output.says(/^Try: (.*)\n/m)
  const { stdout } = await promisify(execFile)('sh', ['-c', line!])
  t.match(stdout, /^HTTP\/1\.1 201 Created\r\n/)
  t.match(stdout, /^etag: "/m)
})

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  await t.test(`${signal}: what is in flight is finished, nothing new is taken, and it exits with 0`, async (t) => {
    const { child, exit, output, log } = start(t)
    const [, port] = await output.says(/listens at http:\/\/127\.0\.0\.1:(\d+)/)
    const { socket, finish, answer } = await beginPut(t, port!)
    child.kill(signal)
    await log.says(/"msg":"stopping"/)
    const ended = once(socket, 'end')
    finish()
    await ended
    t.match(answer.text(), /HTTP\/1\.1 201 Created\r\n[^]*connection: close\r\n[^]*"id":"tide-db"/)
    t.strictSame(await exit, [0, null])
    t.notMatch(log.text(), /"level":[56]0/)
    const refused = connect(Number(port), '127.0.0.1')
    const [error] = await once(refused, 'error')
    t.equal(error.code, 'ECONNREFUSED')
  })
}

await t.test('a second signal ends it at once', async (t) => {
  const { child, exit, output, log } = start(t)
  const [, port] = await output.says(/listens at http:\/\/127\.0\.0\.1:(\d+)/)
  await beginPut(t, port!)
  child.kill('SIGTERM')
  await log.says(/"msg":"stopping"/)
  child.kill('SIGINT')
  t.strictSame(await exit, [null, 'SIGINT'])
})

await t.test('a wrong setting stops the start, with one line that names it', async (t) => {
  const { exit, output, log } = start(t, { STORAGE: 'postgres://user:hush@host/db' })
  t.strictSame(await exit, [1, null])
  t.equal(log.text(), 'STORAGE accepts "memory:"; other engines come with their adapters\n')
  t.equal(output.text(), '')
})

await t.test('a port that is taken stops the start', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1')
  t.teardown(() => { taken.close() })
  await once(taken, 'listening')
  const { exit, log } = start(t, { PORT: String((taken.address() as AddressInfo).port) })
  t.strictSame(await exit, [1, null])
  t.match(log.text(), /EADDRINUSE/)
})
