/** What goes wrong with a request. */
export type Fault =
  | { readonly kind: 'network' }
  /** Nobody answers. */
  | { readonly kind: 'deaf' }
  | {
      readonly kind: 'answer'
      readonly status: number
      readonly headers?: Record<string, string>
      readonly body?: string
    }
  /** The connection breaks when so many bytes of the body have been sent. */
  | { readonly kind: 'cut'; readonly afterBytes: number }
  /** The head of the response comes, and no byte of its body. */
  | { readonly kind: 'hold' }
  /** After so many bytes nothing more comes, and the connection stays open. */
  | { readonly kind: 'mute'; readonly afterBytes: number }

export interface LoggedEvent {
  readonly seq: number
  readonly topic: string
  readonly type: string
  readonly data: unknown
}

const encoder = new TextEncoder()

/** One open stream of the hub. */
export class ReferenceStream {
  readonly connection: string
  readonly body: ReadableStream<Uint8Array>
  topics: readonly string[]
  revision = 0
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined
  readonly #idOf: (seq: number) => string
  readonly #fault: Fault | undefined
  readonly #onOver: () => void
  #sentBytes = 0

  constructor(
    idOf: (seq: number) => string,
    connection: string,
    topics: readonly string[],
    fault: Fault | undefined,
    onOver: () => void,
  ) {
    this.#idOf = idOf
    this.connection = connection
    this.topics = topics
    this.#fault = fault
    this.#onOver = onOver
    this.body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => void (this.#controller = controller),
        cancel: () => this.#over(),
      },
      { highWaterMark: 1 },
    )
  }

  get isHeld(): boolean {
    return (this.#controller?.desiredSize ?? 1) <= 0
  }

  deliver({ seq, topic, type, data }: LoggedEvent, hasId = true): void {
    if (!matches(this.topics, topic)) return
    const name = type === 'message' ? '' : `event: ${type}\n`
    const text = typeof data === 'string' ? data : JSON.stringify(data)
    this.write(`${hasId ? `id: ${this.#idOf(seq)}\n` : ''}${name}topic: ${topic}\ndata: ${text}\n\n`)
  }

  write(text: string): void {
    if (!this.#controller || this.#fault?.kind === 'hold') return
    const bytes = encoder.encode(text)
    const limit = this.#fault?.kind === 'cut' || this.#fault?.kind === 'mute' ? this.#fault.afterBytes : Infinity
    const part = bytes.subarray(0, Math.max(0, limit - this.#sentBytes))
    this.#sentBytes += bytes.length
    if (part.length > 0) this.#controller.enqueue(part)
    // What was sent can be read before the break is noticed.
    if (this.#sentBytes >= limit && this.#fault?.kind === 'cut') setImmediate(() => this.cut())
  }

  end(farewell = ''): void {
    this.write(farewell)
    this.#controller?.close()
    this.#over()
  }

  cut(reason: unknown = new TypeError('terminated')): void {
    this.#controller?.error(reason)
    this.#over()
  }

  #over(): void {
    this.#controller = undefined
    this.#onOver()
  }
}

/** Patterns as simple as the tests need them. */
export function matches(topics: readonly string[], topic: string): boolean {
  return topics.some(
    (wanted) => wanted === '>' || wanted === topic || (wanted.endsWith('.*') && topic.startsWith(wanted.slice(0, -1))),
  )
}
