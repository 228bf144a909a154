import { systemClock, type Clock } from '@millrace/server'

import { readDemoAssets, type DemoAssets } from './demo-assets.ts'
import { demoAwayMs, demoRecentCount, demoTickIntervalMs } from './demo-settings.ts'
import { startPriceReplay } from './price-replay.ts'
import { readStockPrices } from './stock-prices.ts'

/** What the demo asks of the hub that it runs on. */
export interface DemoHub {
  publish(event: { topic: string; type?: string; data: unknown }): Promise<unknown>
  /**
   * Ends one stream. With `retryMs` the client is first told, by `retry:`, to stay away so long.
   * Returns false when there is no such connection.
   */
  endConnection(id: string, options: { reason: string; retryMs?: number }): boolean
}

export interface DemoResponse {
  readonly status: number
  /** To be sent as JSON; from status 400 on it is a problem detail (RFC 9457). */
  readonly body: unknown
}

export interface DemoRoute {
  readonly method: 'GET' | 'POST'
  readonly path: string
  /** `body` is the parsed JSON of a POST, unchecked. Does not throw. */
  handle(body: unknown): DemoResponse | Promise<DemoResponse>
}

export interface DemoOptions {
  /** @default the machine's clock */
  readonly clock?: Clock
}

/** A page that shows how a stream resumes, and the prices that it shows. */
export interface Demo {
  readonly routes: readonly DemoRoute[]
  readonly assets: DemoAssets
  /** Stops the prices. May be called twice. */
  close(): void
}

/** Starts to publish ticks on `stocks.<symbol>`, and gives what the server has to serve. */
export function startDemo(hub: DemoHub, options: DemoOptions = {}): Demo {
  const assets = readDemoAssets()
  const replay = startPriceReplay({
    points: readStockPrices(),
    publish: (tick) => hub.publish({ topic: `stocks.${tick.symbol}`, type: 'tick', data: tick }),
    clock: options.clock ?? systemClock,
    intervalMs: demoTickIntervalMs,
    recentCount: demoRecentCount,
  })
  return {
    assets,
    routes: [
      { method: 'GET', path: '/demo/prices', handle: () => ({ status: 200, body: replay.state() }) },
      { method: 'POST', path: '/demo/cut', handle: (body) => cut(hub, body) },
    ],
    close: () => replay.close(),
  }
}

function cut(hub: DemoHub, body: unknown): DemoResponse {
  const { connection, awayMs = 0, ...rest } = isObject(body) ? body : {}
  const unknown = Object.keys(rest)[0]
  if (unknown !== undefined)
    return problem(400, `Unknown field ${JSON.stringify(unknown)}: send "connection" and "awayMs".`)
  if (typeof connection !== 'string') {
    return problem(400, 'The body must be {"connection": "<the id from stream:connected>", "awayMs": 0}.')
  }
  if (typeof awayMs !== 'number' || !demoAwayMs.includes(awayMs)) {
    return problem(400, `awayMs must be one of ${demoAwayMs.join(', ')}, not ${JSON.stringify(awayMs)}.`)
  }
  const ended = hub.endConnection(connection, { reason: 'demo', ...(awayMs > 0 && { retryMs: awayMs }) })
  if (!ended)
    return problem(
      404,
      `No open stream has the id ${JSON.stringify(connection.slice(0, 64))}; it may have ended by itself.`,
    )
  return { status: 200, body: { ended: connection } }
}

function problem(status: 400 | 404, detail: string): DemoResponse {
  return { status, body: { title: status === 400 ? 'Bad Request' : 'Not Found', status, detail } }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
