import { REPOSITORY } from './pages.js'

/** What the first page of a fork is told. */
export interface About {
  /** The name of the fork. */
  name: string
  /** The version of `fastify-if-match` that it began with. */
  version: string
  /** Whether that is from the registry. */
  isPublished: boolean
}

// What is of the repository alone: how to fork, and what its commands measured.
const OWN = ['The page', 'Fork it']

/**
 * The first page of a fork: what it is, what to change first, and the sections of the page of the reference server that
 * are as true of a fork.
 *
 * @param page of the reference server, moved
 */
export function readmeOf (about: About, page: string): string {
  const [, ...sections] = page.split(/^(?=## )/m)
  const shared = sections.filter((section) => !OWN.some((title) => section.startsWith(`## ${title}\n`)))
  return [beginning(about), ...shared].map((section) => section.trimEnd()).join('\n\n') + '\n'
}

function beginning ({ name, version, isPublished }: About): string {
  const vendored = `
- \`vendor/\` holds \`fastify-if-match\` as that repository had it, with the pages that the package has. To take it from
  the registry once it is there: \`npm install fastify-if-match@${version}\`, and remove the folder.`
  return `# ${name}

A server of offers that loses no update: a write names the version that it changes, in \`If-Match\`, and the storage
compares it in one step with the write. It began as a fork of [the reference server][reference-server] of
\`fastify-if-match\` ${version}.

\`\`\`sh
npm ci          # Node 20.19 or later
npm start       # builds, prints where it listens, and a curl line to begin with
npm test        # the API, its contract, the rules of the page; no engine has to be installed
npm run lint
\`\`\`

- \`http://127.0.0.1:3000/\` is a page for people, \`/docs\` has all routes, \`/docs/json\` is the OpenAPI document, and
  \`/health\` tells whether the storage answers.
- The server speaks plain HTTP: put a proxy that ends TLS in front of it. It logs to standard error, a line of JSON for
  each event.
- \`src/\` is the server, \`test/\` has its tests in folders of the same names, and \`test/support/\` what they share. A
  test of an engine starts it, and is skipped where its program is missing. To run one folder of tests:
  \`npm test -- dist/test/offers/*.js\`.
- [The offers API](docs/reference/offers-api.md) is the contract. Each of its readings has a test in
  \`test/readings/\`.${isPublished ? '' : vendored}

## What to change first

1. **Your entity**: \`src/offers/record.ts\` and \`src/offers/schemas.ts\`, then what the compiler and the tests in
   \`test/offers/\` name.
2. **Who may call**: everybody knows the tokens in \`src/app/tokens.ts\`, so with them the server listens on the
   loopback interface alone. Set \`TOKENS\`, or ask your identity provider in \`src/app/auth.ts\`.
3. **Where it is stored**: \`STORAGE\`, as [below](#settings). Remove the engines of \`src/storage/\` that you do not
   need, and their drivers from \`package.json\`.
4. **The page**: bring your fields to \`src/desk/page/model/form.ts\`, or drop \`src/desk/\`.
5. **The contract**: change \`docs/reference/offers-api.md\` and \`test/readings/\` together, or drop both.
6. **The license**: that of the reference server. Its notice stays with what you copied.

A comment may cite what is in the repository: a \`decision\` by [its number][decisions], \`engine-facts#…\` by [its
heading][engine-facts]. A \`reading\` is a number of the offers API.

[reference-server]: ${REPOSITORY}/example/README.md
[decisions]: ${REPOSITORY}/docs/decisions/README.md
[engine-facts]: ${REPOSITORY}/docs/reference/engine-facts.md`
}
