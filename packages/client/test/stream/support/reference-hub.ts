import type { FetchInit } from '../../../src/attempt/read-event-stream.ts'
import type { Clock } from '../../../src/clock.ts'
import { matches, ReferenceStream, type Fault, type LoggedEvent } from './reference-stream.ts'

export interface HubRequest {
  readonly atMs: number
  readonly method: string
  readonly url: URL
  readonly headers: Headers
  readonly body: unknown
  readonly transport: 'stream' | 'poll' | 'other'
}

const encoder = new TextEncoder()

/**
 * A hub as API.md describes it, in one process and behind a `fetch`: streams, long polls, polls, and topics that are
 * changed on the open stream. It keeps events from `oldest` on, and does to requests what `faultOf` says.
 */
export class ReferenceHub {
  readonly requests: HubRequest[] = []
  readonly #clock: Clock
  readonly #log: LoggedEvent[] = []
  readonly #streams = new Set<ReferenceStream>()
  readonly #waiting = new Set<() => void>()
  faultOf: (request: HubRequest) => Fault | undefined = () => undefined
  /** Entries before this are gone. */
  oldest = 1
  epoch = 'e1'
  retryMs: number | undefined = 2_000
  heartbeatMs = 15_000
  hasPolling = true
  hasTopicChanges = true
  #connections = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Streams that are open. */
  get streams(): readonly ReferenceStream[] {
    return [...this.#streams]
  }

  get head(): number {
    return this.#log.length
  }

  idOf(seq: number): string {
    return `${this.epoch}-${seq}-abc`
  }

  publish(topic: string, data: unknown, type = 'message'): void {
    const event = { seq: this.head + 1, topic, type, data }
    this.#log.push(event)
    for (const stream of this.#streams) stream.deliver(event)
    for (const wake of [...this.#waiting]) wake()
  }

  /** Ends all streams in the ordinary way. */
  endStreams(farewell = ''): void {
    for (const stream of this.streams) stream.end(farewell)
  }

  cutStreams(): void {
    for (const stream of this.streams) stream.cut()
  }

  beat(): void {
    for (const stream of this.streams) stream.write(':\n\n')
  }

  readonly fetch = async (input: string, init: FetchInit): Promise<Response> => {
    const url = new URL(input)
    const headers = new Headers(init.headers)
    const method = init.method ?? 'GET'
    const isStream = (headers.get('accept') ?? '').includes('text/event-stream') && method !== 'PUT'
    const isEvents = /\/events(\/stream)?$/.test(url.pathname)
    const body: unknown = typeof init.body === 'string' ? JSON.parse(init.body) : undefined
    const transport = !isEvents ? 'other' : isStream ? 'stream' : 'poll'
    const request: HubRequest = { atMs: this.#clock.now(), method, url, headers, body, transport }
    this.requests.push(request)
    if (init.signal.aborted) throw init.signal.reason as Error
    const fault = this.faultOf(request)
    if (fault?.kind === 'network') throw new TypeError('fetch failed')
    if (fault?.kind === 'deaf') return aborted(init.signal)
    if (fault?.kind === 'answer')
      return new Response(fault.body ?? null, { status: fault.status, headers: fault.headers ?? {} })
    if (transport === 'stream') return this.#stream(request, init.signal, fault)
    if (transport === 'poll') return this.#poll(request, init.signal, fault)
    return this.#change(request)
  }

  matching(topics: readonly string[], after: number): LoggedEvent[] {
    return this.#log.filter(({ seq, topic }) => seq > after && matches(topics, topic))
  }

  #stream(request: HubRequest, signal: AbortSignal, fault: Fault | undefined): Response {
    const { topics, lastId, from } = asked(request)
    const connection = `c${++this.#connections}`
    const stream = new ReferenceStream(
      (seq) => this.idOf(seq),
      connection,
      topics,
      fault,
      () => this.#streams.delete(stream),
    )
    const verdict = this.#judge(lastId, topics)
    const retry = this.retryMs === undefined ? '' : `retry: ${this.retryMs}\n\n`
    const connected = { connection, secret: `s-${connection}`, heartbeatMs: this.heartbeatMs }
    const isLive = lastId === '' && from !== 'earliest'
    stream.write(
      `: millrace\n\n${retry}${isLive ? `id: ${this.idOf(this.head)}\n` : ''}event: stream:connected\ndata: ${JSON.stringify(connected)}\n\n`,
    )
    let after = isLive ? this.head : 0
    if (lastId !== '') {
      after = verdict.after
      if (verdict.reason) {
        after = this.head
        const notice = { reason: verdict.reason, from: lastId, oldest: this.idOf(this.oldest - 1) }
        stream.write(`id: ${this.idOf(after)}\nevent: stream:sync-required\ndata: ${JSON.stringify(notice)}\n\n`)
      }
    }
    if (!isLive) {
      const missed = this.matching(topics, after)
      for (const event of missed) stream.deliver(event)
      stream.write(`id: ${this.idOf(this.head)}\nevent: stream:caught-up\ndata: {"replayed":${missed.length}}\n\n`)
    }
    this.#streams.add(stream)
    signal.addEventListener('abort', () => stream.cut(signal.reason))
    const headers = { 'content-type': 'text/event-stream', 'millrace-connection': connection }
    return new Response(stream.body, { headers })
  }

  async #poll(request: HubRequest, signal: AbortSignal, fault: Fault | undefined): Promise<Response> {
    if (!this.hasPolling) return problem(400, 'Polling is not built yet.')
    const { topics, lastId, from } = asked(request)
    const waitMs = Number(request.url.searchParams.get('wait') ?? 25) * 1000
    const { after, reason } = this.#judge(lastId, topics)
    const start = reason ? this.head : lastId === '' ? (from === 'earliest' ? 0 : this.head) : after
    if (lastId !== '' && !reason && waitMs > 0 && this.matching(topics, start).length === 0) {
      await this.#wait(() => this.matching(topics, start).length > 0, waitMs, signal)
    }
    const events = this.matching(topics, start).map(({ seq, topic, type, data }) => ({
      id: this.idOf(seq),
      topic,
      type,
      time: '2026-01-01T00:00:00Z',
      data,
    }))
    const text = JSON.stringify({ events, cursor: this.idOf(this.head), reset: reason ? { reason } : null })
    const headers = { 'content-type': 'application/json' }
    if (fault?.kind !== 'cut') return new Response(text, { headers })
    const bytes = encoder.encode(text).slice(0, fault.afterBytes)
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(bytes)
        setImmediate(() => controller.error(new TypeError('terminated')))
      },
    })
    return new Response(body, { headers })
  }

  #wait(isDue: () => boolean, waitMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (): void => {
        cancel()
        this.#waiting.delete(look)
        resolve()
      }
      const look = (): void => {
        if (isDue()) done()
      }
      const cancel = this.#clock.after(waitMs, done)
      this.#waiting.add(look)
      signal.addEventListener('abort', () => {
        cancel()
        this.#waiting.delete(look)
        reject(signal.reason as Error)
      })
    })
  }

  #change({ method, url, body }: HubRequest): Response {
    const [, connection, what] = /\/events\/([^/]+)\/(\w+)$/.exec(url.pathname) ?? []
    const stream = this.streams.find((one) => one.connection === connection)
    const { topics, revision, secret, from } = body as Record<'secret' | 'from', string> & {
      topics: string[]
      revision: number
    }
    if (!this.hasTopicChanges) return problem(405, 'There is no such call.')
    if (!stream || secret !== `s-${connection}`) return problem(404, 'There is no such connection.')
    if (method === 'POST' && what === 'authorization') return new Response(null, { status: 204 })
    if (revision <= stream.revision) return problem(409, 'The revision is not newer.')
    if (topics.some((topic) => topic.startsWith('secret'))) return problem(403, 'The grant does not cover it.')
    stream.revision = revision
    const isNew = ({ topic }: LoggedEvent): boolean => matches(topics, topic) && !matches(stream.topics, topic)
    const added = from === 'snapshot' ? this.#log.filter(isNew) : []
    stream.topics = topics
    // Of each new topic the last event, which moves no id.
    for (const last of new Map(added.map((event) => [event.topic, event])).values()) stream.deliver(last, false)
    stream.write(`id: ${this.idOf(this.head)}\nevent: stream:topics\ndata: ${JSON.stringify({ topics, revision })}\n\n`)
    return new Response('{}', { status: 200 })
  }

  #judge(lastId: string, topics: readonly string[]): { after: number; reason?: string } {
    const [, epoch = '', seq = ''] = /^(\w+)-(\d+)-abc$/.exec(lastId) ?? []
    if (lastId === '') return { after: 0 }
    if (epoch === '') return { after: 0, reason: 'unknown_id' }
    if (epoch !== this.epoch) return { after: 0, reason: 'epoch_changed' }
    const after = Number(seq)
    const isGone = this.matching(topics, after).some((event) => event.seq < this.oldest)
    return isGone ? { after, reason: 'too_old' } : { after }
  }
}

function asked({ url, headers, body }: HubRequest): { topics: string[]; lastId: string; from: string } {
  const query = url.searchParams
  const fields = (body ?? {}) as { topic?: string | string[]; from?: string }
  const topics = fields.topic === undefined ? query.getAll('topic') : [fields.topic].flat()
  return {
    topics: topics.length > 0 ? topics : ['>'],
    lastId: headers.get('last-event-id') ?? query.get('last_event_id') ?? '',
    from: fields.from ?? query.get('from') ?? 'now',
  }
}

function problem(status: number, detail: string): Response {
  return new Response(JSON.stringify({ status, detail }), {
    status,
    headers: { 'content-type': 'application/problem+json' },
  })
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
}
