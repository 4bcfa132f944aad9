import { createHash } from 'node:crypto'

/** Where the modules of packages are served, by the names that the modules of the page import them by. */
const IMPORT_MAP = JSON.stringify({
  imports: {
    'lit-html': '/desk/packages/lit-html/lit-html.js',
    'lit-html/': '/desk/packages/lit-html/',
    'node-diff3': '/desk/packages/node-diff3/diff3.mjs'
  }
})

/**
 * The page runs its own files alone, besides the import map, which has to be inline and is named by its hash. It talks
 * to this server alone. Texts become markup through the templates of lit-html alone: the browser refuses any other way.
 */
export const PAGE_POLICY = Object.entries({
  'default-src': "'none'",
  'script-src': `'self' 'sha256-${createHash('sha256').update(IMPORT_MAP).digest('base64')}'`,
  'style-src': "'self'",
  'img-src': "'self'",
  'connect-src': "'self'",
  'base-uri': "'none'",
  'form-action': "'none'",
  'frame-ancestors': "'none'",
  'require-trusted-types-for': "'script'",
  'trusted-types': 'lit-html'
}).map((directive) => directive.join(' ')).join(';')

/** A token that the page may show, because everybody knows it. */
export interface KnownToken { secret: string, publishers: string[] }

/**
 * The document of the page.
 *
 * @param modules addresses of the modules that the page needs at once: the browser need not find them one by one
 */
export function pageDocument (modules: readonly string[], tokens: readonly KnownToken[]): string {
  const preloads = modules.map((address) => `<link rel="modulepreload" href="${escaped(address)}">`)
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="development-tokens" content="${escaped(JSON.stringify(tokens))}">
<title>Offer desk</title>
<link rel="icon" href="/desk/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/desk/style.css">
<script type="importmap">${IMPORT_MAP}</script>
${preloads.join('\n')}
<script type="module" src="/desk/main.js"></script>
</head>
<body>
<div id="desk"><noscript>The offer desk needs JavaScript. <a href="/docs">The API</a> does not.</noscript></div>
</body>
</html>
`
}

function escaped (text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;')
}
