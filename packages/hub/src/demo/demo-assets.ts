import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'

/** A file, ready to be sent. */
export interface DemoAsset {
  readonly body: Uint8Array
  /** Everything but `Content-Length`. `ETag` is among them; a request whose `If-None-Match` has it may get 304. */
  readonly headers: Readonly<Record<string, string>>
}

export interface DemoAssets {
  /** Looks up a decoded URL path, without query, in a fixed table. Nothing else can be reached, whatever the path says. */
  find(path: string): DemoAsset | undefined
  readonly paths: readonly string[]
}

/** The page may load its own files and talk to its own server; nothing inline runs, nothing leaves the machine. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const pageFolder = new URL('../../demo/', import.meta.url)

/** Reads every file of the demo, once. Throws when one is missing: better at the start than at the first visit. */
export function readDemoAssets(): DemoAssets {
  const pageFiles = readdirSync(pageFolder).filter((name) => /\.(?:js|css|svg)$/.test(name))
  const files: Record<string, URL> = {
    '/': new URL('index.html', pageFolder),
    '/demo/vendor/uplot.js': new URL(import.meta.resolve('uplot/dist/uPlot.esm.js')),
    '/demo/vendor/uplot.css': new URL(import.meta.resolve('uplot/dist/uPlot.min.css')),
    ...Object.fromEntries(pageFiles.map((name) => [`/demo/${name}`, new URL(name, pageFolder)])),
  }
  const assets = new Map(Object.entries(files).map(([path, file]) => [path, readAsset(file)]))
  return { find: (path) => assets.get(path), paths: [...assets.keys()] }
}

function readAsset(file: URL): DemoAsset {
  const body = readFileSync(file)
  return {
    body,
    headers: {
      'Content-Type': contentType(file.pathname),
      ETag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`,
      'Cache-Control': 'no-cache',
      'Content-Security-Policy': contentSecurityPolicy,
      'Cross-Origin-Resource-Policy': 'same-origin',
      'Referrer-Policy': 'no-referrer',
      'X-Content-Type-Options': 'nosniff',
    },
  }
}

const contentTypes: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
}

function contentType(path: string): string {
  const extension = path.slice(path.lastIndexOf('.') + 1)
  const type = contentTypes[extension]
  if (!type) throw new Error(`Demo: no content type for .${extension} (${path})`)
  return type
}
