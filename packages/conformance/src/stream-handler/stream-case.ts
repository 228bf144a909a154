import assert from 'node:assert/strict'
import { Http1Client } from './http1-client.ts'
import { Http2Connection } from './http2-client.ts'
import { readEvents, type StreamClient, type WireEvent } from './stream-client.ts'
import type { ServedStreams, StreamHandlerFeature, Wire } from './stream-handler-setup.ts'

/** A case before it knows the handler that it is for. */
export interface StreamCase {
  readonly name: string
  readonly clause: string
  /** The wires on which it makes sense. @default all */
  readonly wires?: readonly Wire[]
  /** Features that it cannot do without. */
  readonly needs?: readonly StreamHandlerFeature[]
  body(test: StreamTest): Promise<void>
}

export interface StreamTestOptions {
  readonly wire: Wire
  readonly timeoutMs: number
  readonly comingCount: number
}

/** Short enough not to be waited for, long enough not to keep the machine busy. */
const POLL_MS = 5

/** What a case works with; it closes what was opened. */
export class StreamTest {
  readonly served: ServedStreams
  readonly wire: Wire
  readonly comingCount: number
  readonly #timeoutMs: number
  readonly #cleanUps: (() => void)[] = []

  constructor(served: ServedStreams, options: StreamTestOptions) {
    this.served = served
    this.wire = options.wire
    this.comingCount = options.comingCount
    this.#timeoutMs = options.timeoutMs
  }

  /** A client whose stream is open: its head and first bytes have come. */
  async open(headers: readonly string[] = []): Promise<StreamClient> {
    const client = this.ask(headers)
    await this.until(client, 'the first bytes of the stream', () => /\nretry: ?\d+\n/.test(client.body))
    return client
  }

  /** A client that has asked for a stream. Over HTTP/2 each has a connection of its own. */
  ask(headers: readonly string[] = []): StreamClient {
    if (this.wire === 'http/2') return this.connectHttp2().open(this.served.path)
    const client = this.connect()
    client.request({ path: this.served.path, version: this.wire.slice('http/'.length), headers })
    return client
  }

  /** A connection of HTTP/1 on which nothing was sent yet. */
  connect(): Http1Client {
    const client = new Http1Client(this.served.port)
    this.#cleanUps.push(() => client.leave('close'))
    return client
  }

  connectHttp2(): Http2Connection {
    const connection = new Http2Connection(this.served.port)
    this.#cleanUps.push(() => connection.destroy())
    return connection
  }

  /** Waits until it holds for what the client has. */
  async until(client: StreamClient, what: string, holds: () => boolean): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const settle = (): void => {
      try {
        client.check()
        if (holds()) resolve()
      } catch (error) {
        reject(error)
      }
    }
    const timer = setTimeout(() => reject(this.#late(what, `; the client has ${shown(client)}`)), this.#timeoutMs)
    client.onChange = settle
    settle()
    try {
      await promise
    } finally {
      clearTimeout(timer)
      client.onChange = () => {}
    }
  }

  /** Waits until the client has an event with this data, and returns all events that it has then. */
  async untilEvent(client: StreamClient, data: string): Promise<WireEvent[]> {
    const hasEvent = (): boolean => readEvents(client.body).some((event) => event.data === data)
    await this.until(client, `the event ${JSON.stringify(data.slice(0, 40))}`, hasEvent)
    return readEvents(client.body)
  }

  /** Waits for what can only be asked. */
  async eventually(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
    const endMs = performance.now() + this.#timeoutMs
    while (!(await holds())) {
      if (performance.now() > endMs) throw this.#late(what)
      await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    }
  }

  untilOpenCount(count: number): Promise<void> {
    return this.eventually(
      `the handler to hold ${count} streams`,
      async () => (await this.served.openCount()) === count,
    )
  }

  async closeAll(): Promise<void> {
    for (const cleanUp of this.#cleanUps.splice(0)) cleanUp()
    await this.served.close()
  }

  #late(what: string, detail = ''): assert.AssertionError {
    return new assert.AssertionError({ message: `waited ${this.#timeoutMs} ms for ${what}${detail}` })
  }
}

export function datasOf(events: readonly WireEvent[]): string[] {
  return events.map((event) => event.data)
}

/** Texts that tell the numbers from 1 on apart. */
export function numbered(count: number, name = 'event'): string[] {
  return Array.from({ length: count }, (_, i) => `${name} ${i + 1}`)
}

function shown(client: StreamClient): string {
  const status = client.head ? `status ${client.head.status}` : 'no head'
  return `${status}, end ${client.end}, and the body ${JSON.stringify(client.body.slice(-200))}`
}
