/**
 * Clients that do not read, and clients that come and go: each costs one bounded buffer while it is there, and nothing
 * afterwards. `MILLRACE_SOAK=1` runs the long version: a minute of full load, 100,000 connects and disconnects.
 */
import { connect, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { startLoadProcess, type LoadProcess, type LoadReport } from './support/load-process.ts'

const MIB = 1024 * 1024
const isSoak = process.env['MILLRACE_SOAK'] === '1'
const LOAD_SECONDS = isSoak ? 60 : 6
const CHURN = isSoak ? 100_000 : 5_000
const SOAK_TIMEOUT_MS = 900_000

const PER_SECOND = 2_000
const DATA_BYTES = 1_000
const SLOW_CLIENTS = 16
const FAST_CLIENTS = 4

test(
  `a client that reads nothing for ${LOAD_SECONDS} s of full load costs less than 1 MB, and then gets everything in order`,
  { timeout: SOAK_TIMEOUT_MS },
  async () => {
    const events = LOAD_SECONDS * PER_SECOND
    const hub = await startLoadProcess({ keepCount: events + 100, staleMs: 600_000 })
    // The log is as full before as after: what is compared is the clients.
    const first = await hub.publish(events + 100, false, DATA_BYTES)
    const fast = await Promise.all(Array.from({ length: FAST_CLIENTS }, () => CountingClient.open(hub.port)))
    await hub.publish(PER_SECOND, PER_SECOND, DATA_BYTES)
    const before = await hub.report()
    const slow = await Promise.all(Array.from({ length: SLOW_CLIENTS }, () => CountingClient.open(hub.port)))
    for (const client of slow) client.pause()

    const last = await hub.publish(events, PER_SECOND, DATA_BYTES)
    const after = await hub.report()
    const costBytes = (after.liveBytes - before.liveBytes) / SLOW_CLIENTS
    say(`${Math.round(costBytes / 1024)} KiB of heap for each client that does not read`, before, after)
    for (const { state, bufferedBytes } of after.subscribers.slice(-SLOW_CLIENTS)) {
      expect(state).toBe('catching-up')
      expect(bufferedBytes).toBeLessThan(256 * 1024)
    }
    expect(costBytes).toBeLessThan(1_000_000)

    for (const client of slow) client.resume()
    const seen = await Promise.all([...fast, ...slow].map((client) => client.reached(last)))
    expect(seen.slice(0, FAST_CLIENTS)).toEqual(Array(FAST_CLIENTS).fill({ first: first + 1, controls: [] }))
    expect(seen.slice(FAST_CLIENTS)).toEqual(Array(SLOW_CLIENTS).fill({ first: first + PER_SECOND + 1, controls: [] }))
    // Live again: the next event comes by a pass, to all at once.
    const next = await hub.publish(1, false, 10)
    await Promise.all(slow.map((client) => client.reached(next)))
    expect((await hub.report()).stats).toMatchObject({ live: SLOW_CLIENTS + FAST_CLIENTS, catchingUp: 0 })
  },
)

describe(`${CHURN} clients that come and go`, { timeout: SOAK_TIMEOUT_MS }, () => {
  test('leave nothing behind, however they leave', async () => {
    const hub = await startLoadProcess({ keepCount: 100 })
    // What the first of them bring along for good: compiled code, pools, inline caches.
    await Promise.all([hub.publish(100, 100, 100), churn(hub.port, 2_000)])
    const before = await emptied(hub)

    const startMs = performance.now()
    const load = hub.publish(Math.round(CHURN / 50), 50, 100)
    await churn(hub.port, CHURN)
    const seconds = (performance.now() - startMs) / 1_000
    await load
    const after = await emptied(hub)
    say(`${CHURN} connects and disconnects in ${seconds.toFixed(1)} s`, before, after)

    expect(after.stats).toMatchObject({
      subscribers: 0,
      live: 0,
      catchingUp: 0,
      audiences: 0,
      indexEntries: 0,
      pendingCatchUps: 0,
      pendingReads: 0,
    })
    expect(after.listeners).toEqual(before.listeners)
    expect(after.resources).toEqual(before.resources)
    expect(after.liveBytes - before.liveBytes).toBeLessThan(MIB)
  })
})

const REQUEST = 'GET /events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n'
const RESUMING = 'GET /events?from=earliest HTTP/1.1\r\nHost: localhost\r\n\r\n'

/** Every way to leave: what is sent, what is waited for, and how the connection ends. */
const WAYS: readonly ((socket: Socket) => Promise<void> | void)[] = [
  async (socket) => {
    socket.write(REQUEST)
    await comes(socket, 'stream:connected')
    socket.destroy()
  },
  async (socket) => {
    socket.write(REQUEST)
    await comes(socket, 'stream:connected')
    socket.resetAndDestroy()
  },
  // Half-closed: the server still could write, and ends its side.
  async (socket) => {
    socket.write(REQUEST)
    await comes(socket, 'stream:connected')
    socket.end()
    await new Promise((resolve) => socket.once('close', resolve))
  },
  (socket) => {
    socket.end(REQUEST)
  },
  async (socket) => {
    socket.write(RESUMING)
    await comes(socket, 'HTTP/1.1 200')
    socket.resetAndDestroy()
  },
  (socket) => {
    socket.write(REQUEST, () => socket.resetAndDestroy())
  },
  (socket) => {
    socket.write(REQUEST.slice(0, 30), () => socket.resetAndDestroy())
  },
  (socket) => {
    socket.end(REQUEST.slice(0, 30))
  },
]

/** Opens and leaves so many connections, 32 at a time, in every way in turn. */
async function churn(port: number, times: number): Promise<void> {
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < times) {
      const way = WAYS[next++ % WAYS.length]
      const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: false })
      const closed = new Promise((resolve) => socket.once('close', resolve))
      socket.on('error', () => undefined)
      await new Promise((resolve) => socket.once('connect', resolve).once('close', resolve))
      if (!socket.destroyed) await way?.(socket)
      socket.resume()
      await closed
    }
  }
  await Promise.all(Array.from({ length: 32 }, worker))
}

function comes(socket: Socket, text: string): Promise<void> {
  return new Promise((resolve) => {
    let received = ''
    const finish = (): void => {
      socket.off('data', onData)
      resolve()
    }
    const onData = (bytes: Buffer): void => {
      received += bytes.toString('latin1')
      if (received.includes(text)) finish()
    }
    socket.on('data', onData).once('close', finish)
  })
}

/** What is left when the hub has noticed that everybody is gone: the least of a few looks, for finalizers take their time. */
async function emptied(hub: LoadProcess): Promise<LoadReport> {
  const endMs = performance.now() + 20_000
  let least: LoadReport | undefined
  for (let looks = 0; looks < 6;) {
    const report = await hub.report()
    if (report.sockets === 0 && report.stats.subscribers === 0) {
      looks++
      if (!least || report.liveBytes < least.liveBytes) least = report
    } else if (performance.now() > endMs) throw new Error(`Somebody is left: ${JSON.stringify(report)}`)
    await pause(200)
  }
  if (!least) throw new Error('Nobody looked')
  return least
}

/** Reads a stream at full speed, without keeping it, and checks that its numbers are dense. */
class CountingClient {
  readonly #socket: Socket
  #first: number | undefined
  #last: number | undefined
  /** Control events after the first. */
  readonly #controls: string[] = []
  #text = ''
  #fault: Error | undefined
  #onProgress: (() => void) | undefined

  static async open(port: number): Promise<CountingClient> {
    const socket = connect({ port, host: '127.0.0.1' })
    onTestFinished(() => {
      socket.destroy()
    })
    socket.write(REQUEST)
    await comes(socket, '"heartbeatMs":15000}\n\n')
    return new CountingClient(socket)
  }

  constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (bytes) => this.#read(bytes.toString('latin1')))
    socket.on('close', () => this.#fail('The connection was closed'))
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  /** Resolves when the number has come: what came first, and what was said besides. */
  async reached(last: number): Promise<{ first: number | undefined; controls: readonly string[] }> {
    while (this.#last !== last) {
      if (this.#fault) throw this.#fault
      await new Promise<void>((resolve) => (this.#onProgress = resolve))
    }
    return { first: this.#first, controls: this.#controls }
  }

  #read(text: string): void {
    this.#text += text
    let end = 0
    for (const match of this.#text.matchAll(/event: (stream:[^\n]*)\n|data: \{"n":(\d+),[^\n]*\n\n/g)) {
      if (match[1] === undefined) this.#take(Number(match[2]))
      else this.#controls.push(match[1])
      end = match.index + match[0].length
    }
    this.#text = this.#text.slice(end)
    this.#onProgress?.()
  }

  #take(n: number): void {
    if (this.#last !== undefined && n !== this.#last + 1) this.#fail(`${n} came after ${this.#last}`)
    this.#first ??= n
    this.#last = n
  }

  #fail(why: string): void {
    this.#fault ??= new Error(why)
    this.#onProgress?.()
  }
}

/** Figures, for whoever runs the long version. */
function say(what: string, before: LoadReport, after: LoadReport): void {
  if (!isSoak) return
  const show = ({ liveBytes, rssBytes }: LoadReport): string =>
    `${(liveBytes / MIB).toFixed(1)} MiB alive, ${(rssBytes / MIB).toFixed(0)} MiB resident`
  process.stdout.write(`${what}\n  before: ${show(before)}\n  after:  ${show(after)}\n`)
}
