/**
 * The absolute URL, against the base of the document or worker.
 *
 * @throws DOMException `SyntaxError`
 */
export function resolveUrl(url: string): string {
  // Programs of Node, Bun and Deno have neither, unless somebody gave them one.
  const { document, location } = globalThis as { document?: Document; location?: Location }
  try {
    return new URL(url, document?.baseURI ?? location?.href).href
  } catch {
    throw new DOMException(`Not a URL here: ${url}`, 'SyntaxError')
  }
}
