import type { Clock } from '../clock.ts'
import type { connect } from '../stream/connect.ts'
import type { EventStream } from '../stream/event-stream.ts'
import { isFinal } from '../stream/stream-status.ts'
import { watchGapListeners } from './gap-listeners.ts'
import { sharedOptions, type OptionsHolder } from './shared-options.ts'
import type { StreamHandle } from './stream-handle.ts'

export interface SharedStreamsOptions {
  readonly connect: typeof connect
  readonly clock: Clock
  /** How long a stream that nobody uses stays open. Milliseconds. */
  readonly graceMs: number
}

/** A component that uses a stream. */
export interface StreamUser extends OptionsHolder {
  /** The handle is another one. */
  onChange(): void
}

/** A stream that is about to be opened: what a server renders, and the first render of a component. */
export const OPENING: StreamHandle = Object.freeze({
  status: Object.freeze({ name: 'connecting', attempt: 1 }),
  stream: undefined,
  restart() {},
})

/**
 * The streams of a page, one for each key.
 *
 * Opening: when its first user comes; nothing is opened by looking. Closing: `graceMs` after its last user has gone, unless one
 * comes back, as StrictMode's second mount and the next page of a router do.
 */
export class SharedStreams {
  readonly #options: SharedStreamsOptions
  readonly #streams = new Map<string, SharedStream>()

  constructor(options: SharedStreamsOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#streams.size
  }

  handle(key: string): StreamHandle {
    return this.#streams.get(key)?.handle ?? OPENING
  }

  /** Returns what ends the use. @throws ClientError `invalid_option` */
  use(key: string, url: string | URL, user: StreamUser): () => void {
    let shared = this.#streams.get(key)
    if (!shared) {
      shared = new SharedStream(url, this.#options, () => this.#streams.delete(key))
      this.#streams.set(key, shared)
    }
    return shared.use(user)
  }
}

class SharedStream {
  readonly #url: string | URL
  readonly #options: SharedStreamsOptions
  readonly #onClosed: () => void
  /** In the order in which they came. */
  readonly #users = new Set<StreamUser>()
  #stream: EventStream | undefined
  #cancelClose: (() => void) | undefined
  handle: StreamHandle = OPENING

  constructor(url: string | URL, options: SharedStreamsOptions, onClosed: () => void) {
    this.#url = url
    this.#options = options
    this.#onClosed = onClosed
  }

  use(user: StreamUser): () => void {
    this.#cancelClose?.()
    this.#cancelClose = undefined
    this.#users.add(user)
    // One that is over has nothing for who comes now, when nobody else is there to whom it says why.
    const isStale = this.#stream && this.#users.size === 1 && isFinal(this.#stream.status)
    try {
      if (!this.#stream || isStale) this.#open('')
    } catch (error) {
      this.#users.delete(user)
      this.#onClosed()
      throw error
    }
    let isUsed = true
    return () => {
      if (!isUsed) return
      isUsed = false
      this.#users.delete(user)
      if (this.#users.size > 0) return
      this.#cancelClose = this.#options.clock.after(this.#options.graceMs, () => this.#close())
    }
  }

  #open(lastId: string): void {
    const options = sharedOptions(this.#users, () => gaps.hasAny())
    const gaps = watchGapListeners(this.#options.connect(this.#url, lastId === '' ? options : { ...options, lastId }))
    const { stream } = gaps
    this.#stream = stream
    stream.onStatus(() => {
      if (stream === this.#stream) this.#show()
    })
    this.#show()
  }

  #close(): void {
    const stream = this.#stream
    this.#stream = undefined
    stream?.close()
    this.#onClosed()
  }

  #restart(): void {
    const stream = this.#stream
    if (!stream) return
    // Nobody is shown that the old one is closed.
    this.#stream = undefined
    stream.close()
    this.#open(stream.lastId)
  }

  #show(): void {
    const stream = this.#stream
    if (!stream) return
    this.handle = { status: stream.status, stream, restart: () => this.#restart() }
    for (const user of [...this.#users]) user.onChange()
  }
}
