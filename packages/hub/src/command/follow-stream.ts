import { EventStreamParser, type ParsedEvent } from '@millrace/protocol'
import { setTimeout as pause } from 'node:timers/promises'
import { CommandFailure } from './command-failure.ts'
import { askHub, refusalOf } from './hub-address.ts'

/** An event of a stream with `envelope=1`. */
export interface TailEvent {
  readonly topic: string
  readonly type: string
  readonly data: unknown
  /** The envelope as it came. */
  readonly json: string
}

export interface FollowOptions {
  readonly url: URL
  /** Where to go on from. */
  readonly lastEventId: string | undefined
  /** Ends it. */
  readonly signal: AbortSignal
  onEvent(event: TailEvent): void
  /** What a person should know: a cut, a gap, a farewell. */
  onNotice(text: string): void
}

const DEFAULT_RETRY_MS = 3_000
const MAX_RETRY_MS = 30_000
/** Heartbeats that may fail to come before a connection counts as dead. */
const SILENT_HEARTBEATS = 2.5

/** What is known of the stream from one connection to the next. */
interface Following {
  lastEventId: string
  retryMs: number
  /** Attempts in a row that brought nothing. */
  failures: number
  heartbeatMs: number | undefined
}

/**
 * Follows a stream over cuts until the signal is aborted, or all its topics are finished.
 *
 * @throws CommandFailure when the hub refuses it for good, or cannot be reached the first time
 */
export async function followStream(options: FollowOptions): Promise<void> {
  const { signal, onNotice } = options
  const state: Following = {
    lastEventId: options.lastEventId ?? '',
    retryMs: DEFAULT_RETRY_MS,
    failures: 0,
    heartbeatMs: undefined,
  }
  for (let isFirst = true; !signal.aborted; isFirst = false) {
    let why: string | undefined
    try {
      why = await followOnce(options, state)
    } catch (error) {
      if (signal.aborted) return
      if (error instanceof CommandFailure && (isFirst || !(error.cause instanceof Error))) throw error
      why = error instanceof Error ? error.message : String(error)
    }
    if (signal.aborted || why === undefined) return
    // Each stream gets a time of its own from the hub; without one, many tails would come back together.
    const waitMs = Math.min(MAX_RETRY_MS, state.retryMs * 2 ** Math.min(5, state.failures)) * (0.75 + Math.random() / 2)
    state.failures++
    onNotice(`${why} Coming back in ${(waitMs / 1000).toFixed(1)} s.`)
    await pause(waitMs, undefined, { signal }).catch(() => undefined)
  }
}

/** One connection: resolves with the reason why it ended, or with undefined when nothing more is to come. */
async function followOnce(options: FollowOptions, state: Following): Promise<string | undefined> {
  const cut = new AbortController()
  const signal = AbortSignal.any([options.signal, cut.signal])
  const response = await askHub(options.url, { headers: headersOf(state), signal })
  if (response.status === 204) return undefined
  if (response.status === 429 || response.status >= 500) {
    state.retryMs = Number(response.headers.get('retry-after') ?? 3) * 1000 || DEFAULT_RETRY_MS
    return (await refusalOf(response)).message
  }
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') ?? false
  if (!response.ok || !isStream) throw await refusalOf(response)
  let farewell: string | undefined
  const parser = new EventStreamParser(
    {
      onRetry: (retryMs) => (state.retryMs = retryMs),
      onId: (id) => (state.lastEventId = id),
      onEvent: (event) => (farewell = take(event, options, state) ?? farewell),
    },
    { lastEventId: state.lastEventId },
  )
  const watch = new Watch(() => cut.abort())
  try {
    for await (const bytes of response.body ?? []) {
      parser.push(bytes)
      watch.expectWithin(state.heartbeatMs === undefined ? undefined : state.heartbeatMs * SILENT_HEARTBEATS)
    }
  } catch {
    if (options.signal.aborted) return ''
    if (cut.signal.aborted) return 'Nothing came for too long, not even heartbeats.'
    return farewell ?? 'The connection was cut.'
  } finally {
    watch.stop()
  }
  return farewell ?? 'The stream has ended.'
}

/** Hands on what was published; returns what the stream says about its own end. */
function take(event: ParsedEvent, { onEvent, onNotice }: FollowOptions, state: Following): string | undefined {
  const { type, data } = event
  if (!type.startsWith('stream:')) {
    state.failures = 0
    const { topic, type: name, data: content } = JSON.parse(data) as Omit<TailEvent, 'json'>
    onEvent({ topic, type: name, data: content, json: data })
    return undefined
  }
  const content = JSON.parse(data || '{}') as Readonly<Record<string, unknown>>
  if (type === 'stream:connected') {
    state.failures = 0
    state.heartbeatMs = Number(content['heartbeatMs']) || undefined
  } else if (type === 'stream:sync-required') {
    onNotice(
      `Events may be missing (${String(content['reason'])}): what came after ${String(content['from'])} is not all kept.`,
    )
  } else if (type === 'stream:shutdown') {
    return 'The hub is shutting down.'
  } else if (type === 'stream:reconnect') {
    return `The hub sends its clients away for a while (${String(content['reason'])}).`
  } else if (type === 'stream:end') {
    onNotice(`The topic ${String(content['topic'])} is finished.`)
  }
  return undefined
}

function headersOf({ lastEventId }: Following): Record<string, string> {
  return {
    Accept: 'text/event-stream',
    'Millrace-Client': 'tail',
    ...(lastEventId === '' ? {} : { 'Last-Event-ID': lastEventId }),
  }
}

/** Calls when nothing has come for too long. */
class Watch {
  readonly #onSilence: () => void
  #timer: NodeJS.Timeout | undefined
  #withinMs = 0

  constructor(onSilence: () => void) {
    this.#onSilence = onSilence
  }

  expectWithin(withinMs: number | undefined): void {
    if (this.#timer && withinMs === this.#withinMs) {
      this.#timer.refresh()
      return
    }
    this.stop()
    if (withinMs === undefined) return
    this.#withinMs = withinMs
    this.#timer = setTimeout(this.#onSilence, withinMs)
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }
}
