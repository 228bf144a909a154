import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

/** Pages and a hub behind one address. */
export interface OneOrigin {
  readonly origin: string
  /** How often each path was asked for. */
  readonly counts: ReadonlyMap<string, number>
  /** GETs of the hub that are being answered. */
  readonly openCount: number
  /** The most of them at once since this was last called. */
  takePeak(): number
  /** Breaks all connections. */
  cutAll(): void
}

/** Serves pages, and a hub's `/events` beside them, over HTTP/1.1. Stopped when the test is over. */
export async function serveOneOrigin(pages: Readonly<Record<string, string>>, hubPort: number): Promise<OneOrigin> {
  const counts = new Map<string, number>()
  let openCount = 0
  let peak = 0
  const server = createServer((incoming, outgoing) => {
    const { url = '/', method, headers } = incoming
    const { pathname } = new URL(url, 'http://page.test')
    counts.set(pathname, (counts.get(pathname) ?? 0) + 1)
    const html = pages[pathname]
    if (html !== undefined) {
      outgoing.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(html)
      return
    }
    if (method === 'GET') {
      peak = Math.max(peak, ++openCount)
      outgoing.once('close', () => openCount--)
    }
    const { port } = server.address() as AddressInfo
    // The hub looks at the host that it is called by.
    const own = {
      ...headers,
      host: `127.0.0.1:${hubPort}`,
      origin: headers.origin?.replace(String(port), String(hubPort)),
    }
    const forwarded = Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined))
    const upstream = request({ port: hubPort, host: '127.0.0.1', path: url, method, headers: forwarded }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(outgoing)
      answer.on('error', () => outgoing.destroy())
    })
    upstream.on('error', () => outgoing.destroy())
    outgoing.on('close', () => upstream.destroy())
    outgoing.on('error', () => upstream.destroy())
    incoming.pipe(upstream)
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  onTestFinished(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => {
      server.close(resolve)
    })
  })
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    counts,
    get openCount() {
      return openCount
    },
    takePeak() {
      const before = peak
      peak = openCount
      return before
    },
    cutAll: () => server.closeAllConnections(),
  }
}
