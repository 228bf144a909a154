import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { ServerProcess } from './server-process.ts'

/** What the referee is to do. */
export interface Load {
  readonly clients: number
  /** Path of the subscriptions. */
  readonly path: string
  /** One POST per event; left out when the server publishes by itself. */
  readonly publish?: {
    readonly path: string
    /** The body; `%s` stands for the event's data. */
    readonly body: string
    readonly eventsPerSecond: number
    readonly count: number
    /** Length of the filling in the data, besides its time and number. */
    readonly paddingBytes: number
  }
  /** The run ends when nothing has arrived for this long. Seconds. */
  readonly quietSeconds: number
  readonly timeoutMs: number
}

/** What the referee saw, in its own names. */
export interface LoadResult {
  readonly conns: number
  readonly bad: number
  readonly closed: number
  readonly connect_s: number
  readonly published: number
  readonly pub_fail: number
  readonly events: number
  readonly expected: number
  readonly deliveries_per_s: number
  readonly p50_ms: number
  readonly p99_ms: number
  readonly max_ms: number
  readonly cpu_us_per_delivery: number
  readonly kb_per_conn: number
  readonly rss_mb: number
  readonly bytes_per_event: number
}

/** Runs the referee against a server. Rejects when a subscription failed or an event was lost. */
export async function runLoad(program: string, server: ServerProcess, load: Load): Promise<LoadResult> {
  const args = ['-n', load.clients, '-o', server.port, '-u', load.path, '-p', server.pid, '-w', load.quietSeconds]
  const { publish } = load
  if (publish) args.push('-P', publish.path, '-b', publish.body, '-r', publish.eventsPerSecond)
  if (publish) args.push('-m', publish.count, '-s', publish.paddingBytes)
  const { stdout } = await promisify(execFile)(program, args.map(String), { timeout: load.timeoutMs })
  const result = JSON.parse(stdout) as LoadResult
  if (result.bad > 0 || result.closed > 0 || result.pub_fail > 0 || (publish && result.events !== result.expected)) {
    throw new Error(`Not everything arrived: ${stdout}`)
  }
  return result
}

/** Filling that makes the data of an event this long: `{"t":<nanoseconds>,"i":<number>,"p":"…"}`. */
export function paddingFor(dataBytes: number): number {
  return Math.max(0, dataBytes - '{"t":1234567890123,"i":123,"p":""}'.length)
}
