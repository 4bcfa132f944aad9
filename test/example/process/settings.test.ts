import t from 'tap'
import { mistypedSettings } from '../../../example/process/mistyped.js'
import { SettingError } from '../../../example/storage/setting-error.js'
import { readSettings, SETTING_NAMES } from '../../../example/process/settings.js'

const OWN = { TOKENS: 'secret-1=contoso:owner' }

/** Why these settings are refused; undefined if they are not. */
function refusal (env: Record<string, string>): string | undefined {
  try {
    readSettings(env)
  } catch (error) {
    if (error instanceof SettingError) return error.message
    throw error
  }
  return undefined
}

await t.test('nothing set: the defaults, with the development tokens on the loopback address', async (t) => {
  const { tokens, ...settings } = readSettings({})
  t.strictSame(settings, {
    host: '127.0.0.1',
    port: 3000,
    storage: 'sqlite:data/offers.db',
    workers: 1,
    actionsIfMatch: 'required',
    stepMs: 5000,
    shutdownMs: 5000,
    limits: {
      maxLoopDelayMs: 500,
      maxLoopPercent: 100,
      maxHeapPercent: 90,
      maxRequestsPerToken: 100,
      maxConnections: 1000,
      requestMs: 60_000,
      answerMs: 60_000
    },
    logLevel: 'info',
    metrics: undefined
  })
  t.strictSame(tokens.map(({ secret, roles }) => [secret, [...roles]]), [
    ['dev-contoso', [['contoso', 'owner']]],
    ['dev-fabrikam', [['fabrikam', 'contributor']]]
  ])
})

await t.test('every setting is taken from the environment', async (t) => {
  const { tokens, ...settings } = readSettings({
    HOST: '0.0.0.0',
    PORT: '0',
    STORAGE: 'sqlite:/srv/my offers.db',
    WORKERS: '16',
    ACTIONS_IF_MATCH: 'optional',
    STEP_MS: '250',
    SHUTDOWN_MS: '20000',
    MAX_LOOP_DELAY_MS: '200',
    MAX_LOOP_PERCENT: '98',
    MAX_HEAP_PERCENT: '9',
    MAX_REQUESTS_PER_TOKEN: '7',
    MAX_CONNECTIONS: '999999',
    REQUEST_MS: '10000',
    ANSWER_MS: '20000',
    LOG_LEVEL: 'warn',
    METRICS_HOST: '::1',
    METRICS_PORT: '9464',
    TOKENS: 'a.b-c==contoso:owner+fabrikam:contributor, d=contoso:contributor'
  })
  t.strictSame(settings, {
    host: '0.0.0.0',
    port: 0,
    storage: 'sqlite:/srv/my offers.db',
    workers: 16,
    actionsIfMatch: 'optional',
    stepMs: 250,
    shutdownMs: 20_000,
    limits: {
      maxLoopDelayMs: 200,
      maxLoopPercent: 98,
      maxHeapPercent: 9,
      maxRequestsPerToken: 7,
      maxConnections: 999_999,
      requestMs: 10_000,
      answerMs: 20_000
    },
    logLevel: 'warn',
    metrics: { host: '::1', port: 9464 }
  })
  t.strictSame(tokens.map(({ secret, roles }) => [secret, [...roles]]), [
    ['a.b-c=', [['contoso', 'owner'], ['fabrikam', 'contributor']]],
    ['d', [['contoso', 'contributor']]]
  ])
})

await t.test('a wrong setting is refused with its name and what it accepts, and without its value', async (t) => {
  const wrong: Array<[name: string, value: string, message: RegExp]> = [
    ['HOST', '', /an IP address or a host name/],
    ['HOST', 'no host', /an IP address or a host name/],
    ['HOST', '-dash', /an IP address or a host name/],
    ['PORT', '', /from 0 to 65535/],
    ['PORT', '65536', /from 0 to 65535/],
    ['PORT', '80x', /from 0 to 65535/],
    ['PORT', '-1', /from 0 to 65535/],
    ['PORT', '1e3', /from 0 to 65535/],
    ['STORAGE', '', /"memory:"/],
    ['STORAGE', 'memory', /"memory:"/],
    ['STORAGE', 'mongodb://user:pa55word@host/db', /"memory:"/],
    ['WORKERS', '0', /from 1 to 999/],
    ['WORKERS', 'two', /from 1 to 999/],
    ['ACTIONS_IF_MATCH', 'sometimes', /required, and optional/],
    ['STEP_MS', '0', /whole number of milliseconds/],
    ['STEP_MS', '1.5', /whole number of milliseconds/],
    ['STEP_MS', '1000000000', /to 999999999/],
    ['SHUTDOWN_MS', '0', /whole number of milliseconds/],
    ['MAX_LOOP_DELAY_MS', '1000', /milliseconds from 0 to 999/],
    ['MAX_LOOP_DELAY_MS', '1e2', /milliseconds from 0 to 999/],
    ['MAX_LOOP_DELAY_MS', '', /milliseconds from 0 to 999/],
    ['MAX_LOOP_PERCENT', '0', /percent from 1 to 100/],
    ['MAX_LOOP_PERCENT', '0.98', /percent from 1 to 100/],
    ['MAX_HEAP_PERCENT', '101', /percent from 1 to 100/],
    ['MAX_HEAP_PERCENT', '90%', /percent from 1 to 100/],
    ['MAX_REQUESTS_PER_TOKEN', '0', /from 1 to 999999/],
    ['MAX_CONNECTIONS', '-1', /from 1 to 999999/],
    ['MAX_CONNECTIONS', '', /from 1 to 999999/],
    ['REQUEST_MS', '1s', /whole number of milliseconds/],
    ['ANSWER_MS', '', /whole number of milliseconds/],
    ['METRICS_PORT', '', /from 0 to 65535.*, and off$/],
    ['METRICS_PORT', '3000', /another port than PORT names/],
    ['METRICS_PORT', 'on', /from 0 to 65535.*, and off$/],
    ['LOG_LEVEL', 'loud', /fatal, error, warn, info, debug, trace, silent/]
  ]
  for (const [name, value, message] of wrong) {
    const told = refusal({ ...OWN, [name]: value })
    t.match(told, message, `${name}=${value}`)
    t.ok(told?.startsWith(`${name} accepts `))
    t.notMatch(told, /pa55word/)
  }
})

await t.test('WORKERS: memory is for one process', async (t) => {
  t.match(refusal({ STORAGE: 'memory:', WORKERS: '2' }), /^WORKERS accepts 1 alone with STORAGE=memory:/)
})

await t.test('TOKENS: a wrong entry is told by its position, never by its content', async (t) => {
  const wrong: Array<[string, RegExp]> = [
    ['', /entry 1 has no token/],
    ['hush=contoso:owner,', /entry 2 has no token/],
    ['=contoso:owner', /entry 1 has no token/],
    ['hush hush=contoso:owner', /entry 1 has no token/],
    ['contoso:owner', /entry 1 has no token/],
    ['hush=', /entry 1 does not give one role/],
    ['hush=contoso', /entry 1 does not give one role/],
    ['hush=contoso:reader', /entry 1 does not give one role/],
    ['hush=contoso:owner+', /entry 1 does not give one role/],
    ['hush=contoso:owner+contoso:contributor', /entry 1 does not give one role/],
    ['hush=contoso:owner,hush=fabrikam:owner', /a token is there twice/]
  ]
  for (const [TOKENS, message] of wrong) {
    const told = refusal({ TOKENS })
    t.match(told, message, TOKENS)
    t.match(told, /^TOKENS accepts (?!.*hush)/, TOKENS)
  }
})

await t.test('HOST: the development tokens are for this machine alone', async (t) => {
  for (const HOST of ['127.0.0.1', '127.8.8.8', '::1', '0:0:0:0:0:0:0:1', 'localhost']) {
    t.equal(readSettings({ HOST }).host, HOST)
  }
  for (const HOST of ['0.0.0.0', '::', '192.168.1.2', 'example.org', 'localhost.example.org']) {
    t.match(refusal({ HOST }), /^HOST accepts .*set TOKENS/, HOST)
    const TOKENS = 'mine=contoso:owner,dev-contoso=contoso:owner'
    t.match(refusal({ HOST, TOKENS }), /^HOST accepts /, `${HOST}, one of them named in TOKENS`)
    t.equal(readSettings({ HOST, ...OWN }).host, HOST)
  }
})

await t.test('a variable whose name is one letter off that of a setting is warned of, without its value', async (t) => {
  const mistyped: Array<[name: string, meant: string]> = [
    ['PROT', 'PORT'],
    ['PRT', 'PORT'],
    ['PORTT', 'PORT'],
    ['POST', 'HOST or PORT'],
    ['HOTS', 'HOST'],
    ['OST', 'HOST'],
    ['STORGE', 'STORAGE'],
    ['STOARGE', 'STORAGE'],
    ['TOKEN', 'TOKENS'],
    ['TOKNES', 'TOKENS'],
    ['WORKER', 'WORKERS'],
    ['WROKERS', 'WORKERS'],
    ['ACTION_IF_MATCH', 'ACTIONS_IF_MATCH'],
    ['ACTIONS_IF_MTACH', 'ACTIONS_IF_MATCH'],
    ['STEP_SM', 'STEP_MS'],
    ['STEP-MS', 'STEP_MS'],
    ['SHUTDOWNMS', 'SHUTDOWN_MS'],
    ['MAX_CONECTIONS', 'MAX_CONNECTIONS'],
    ['MAX_REQUEST_PER_TOKEN', 'MAX_REQUESTS_PER_TOKEN'],
    ['MAX_LOOP_DELAYMS', 'MAX_LOOP_DELAY_MS'],
    ['MAX_HAEP_PERCENT', 'MAX_HEAP_PERCENT'],
    ['REQEUST_MS', 'REQUEST_MS'],
    ['ANSWERS_MS', 'ANSWER_MS'],
    ['LOGLEVEL', 'LOG_LEVEL'],
    ['LOG_LEVLE', 'LOG_LEVEL'],
    ['port', 'PORT']
  ]
  for (const [name, meant] of mistyped) {
    const told = mistypedSettings({ PATH: '/bin', [name]: 'hush', LOG_LEVEL: 'info' })
    t.strictSame(told, [`${name} is no setting of this server and has no effect. Did you mean ${meant}?`])
  }
  t.equal(mistypedSettings({ PROT: '1', HOTS: '1', PORT: '1' }).length, 2, 'also beside the right one')
})

await t.test('what is further off, and what shells and platforms set, is not warned of', async (t) => {
  const names = 'PATH HOME HOSTNAME HOSTTYPE USER LOGNAME SHELL SHLVL TERM LANG LC_ALL TZ PWD OLDPWD EDITOR MAIL ' +
    '_ PS1 TMPDIR DISPLAY SSH_TTY SUDO_USER XDG_RUNTIME_DIR NODE_ENV NODE_OPTIONS NODE_PATH DEBUG CI INIT_CWD ' +
    'npm_config_port npm_package_name KUBERNETES_PORT KUBERNETES_SERVICE_HOST DYNO WEB_CONCURRENCY DATABASE_URL ' +
    'REDIS_URL K_SERVICE FUNCTIONS_WORKER_RUNTIME WEBSITE_HOSTNAME AWS_REGION GITHUB_TOKEN NPM_TOKEN INVOCATION_ID ' +
    'JOURNAL_STREAM container COLORTERM LS_COLORS HOST_IP PORT_HTTP LOGLEVELS LOG_LEVELLED TOKENIZER PROTO SORT_BY'
  t.strictSame(mistypedSettings(Object.fromEntries(names.split(' ').map((name) => [name, 'x']))), [])
  const all = Object.fromEntries(SETTING_NAMES.map((name) => [name, 'x']))
  t.strictSame(mistypedSettings(all), [], 'the settings themselves')
  // The line that a start prints takes one of the operator's own tokens from there.
  t.strictSame(mistypedSettings({ TOKENS: 'own=contoso:owner', TOKEN: 'own' }), [])
})
