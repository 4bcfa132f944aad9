const CHARACTERS: Readonly<Record<string, string>> = {
  '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#39;': "'", '&amp;': '&'
}

/**
 * The text of a message in HTML: the page shows it as text, whatever tags it holds. The server escapes what it quotes
 * of a document (reading 35).
 */
export function textOfHtml (html: string): string {
  return html
    .replaceAll(/<\/?[a-z][^>]*>/gi, '')
    .replaceAll(/&(?:lt|gt|quot|#39|amp);/g, (entity) => CHARACTERS[entity]!)
}
