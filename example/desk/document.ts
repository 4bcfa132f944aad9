import { createHash } from 'node:crypto'

/** A token that the page may show, because everybody knows it. */
export interface KnownToken { secret: string, publishers: string[] }

/** What the document of the page is made of. */
export interface PageParts {
  /** The folder of the files, relative to the page, which may be below a prefix of a proxy: `desk/0a1b2c`. */
  folder: string
  /** The modules in it that the page needs at once: the browser need not find them one by one. */
  modules: readonly string[]
  tokens: readonly KnownToken[]
}

/** The document of the page, and its policy. */
export function pageDocument ({ folder, modules, tokens }: PageParts): { document: string, policy: string } {
  // Where the modules of packages are served, by the names that the modules of the page import them by.
  const importMap = JSON.stringify({
    imports: {
      'lit-html': `./${folder}/packages/lit-html/lit-html.js`,
      'lit-html/': `./${folder}/packages/lit-html/`,
      'node-diff3': `./${folder}/packages/node-diff3/diff3.mjs`
    }
  })
  return { document: documentOf({ folder, modules, tokens }, importMap), policy: policyOf(importMap) }
}

/**
 * The page runs its own files alone, besides the import map, which has to be inline and is named by its hash. It talks
 * to this server alone. Texts become markup through the templates of lit-html alone: the browser refuses any other way.
 */
function policyOf (importMap: string): string {
  return Object.entries({
    'default-src': "'none'",
    'script-src': `'self' 'sha256-${createHash('sha256').update(importMap).digest('base64')}'`,
    'style-src': "'self'",
    'img-src': "'self'",
    'connect-src': "'self'",
    'base-uri': "'none'",
    'form-action': "'none'",
    'frame-ancestors': "'none'",
    'require-trusted-types-for': "'script'",
    'trusted-types': 'lit-html'
  }).map((directive) => directive.join(' ')).join(';')
}

function documentOf ({ folder, modules, tokens }: PageParts, importMap: string): string {
  const preloads = modules.map((name) => `<link rel="modulepreload" href="${folder}/${escaped(name)}">`)
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="development-tokens" content="${escaped(JSON.stringify(tokens))}">
<title>Offer desk</title>
<link rel="icon" href="${folder}/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="${folder}/style.css">
<script type="importmap">${importMap}</script>
${preloads.join('\n')}
<script type="module" src="${folder}/main.js"></script>
</head>
<body>
<div id="desk"><noscript>The offer desk needs JavaScript. <a href="docs">The API</a> does not.</noscript></div>
</body>
</html>
`
}

function escaped (text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;')
}
