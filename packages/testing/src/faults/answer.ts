import type { CutKind, CutRule } from './cut-rule.ts'
import type { RecordedRequest } from './recorded-request.ts'

/**
 * What one request is answered with: steps that are taken one after the other. When they are over, the answer ends as HTTP
 * ends one; {@link silence} is the step that keeps it open.
 */
export type Script = readonly Step[]

/** A step of a script. Write your own where none of the kit does. What it throws is thrown by `close()` of the server. */
export type Step = (answer: Answer) => void | Promise<void>

/** How the end of a body is known: by chunks, by the end of the connection (as HTTP/1.0 does), or by `Content-Length`. */
export type Framing = 'chunked' | 'close' | 'length'

/** Names and values; as pairs where a name comes more than once. */
export type HeaderList = Readonly<Record<string, string>> | readonly (readonly [name: string, value: string])[]

export interface HeadOptions {
  /** @default 200 */
  readonly status?: number | undefined
  /** @default `Content-Type: text/event-stream` and `Cache-Control: no-cache` */
  readonly headers?: HeaderList | undefined
  /** @default 'length' when the headers say one, else 'chunked' for HTTP/1.1 and 'close' for HTTP/1.0 */
  readonly framing?: Framing | undefined
}

/**
 * An answer that is being given.
 *
 * Order: what is written leaves in the order of the calls.
 * Ending: after it was ended, cut, or left by the client, `isOpen` is false, `signal` is aborted, and every method does
 * nothing; none of them throws for it, and a script goes no further.
 * Waiting: a promise of `write` settles when the bytes are with the system, or the answer is over.
 */
export interface Answer {
  readonly request: RecordedRequest
  /** Where `forward` goes. */
  readonly upstream: URL | undefined
  readonly signal: AbortSignal
  readonly isOpen: boolean
  /** Sends the head. @throws TestingError `head_was_sent` */
  head(options?: HeadOptions): Promise<void>
  /** Sends bytes of the body, and before the first ones the default head, when none was sent. */
  write(body: Uint8Array): Promise<void>
  /** Sends bytes as they are: no head before them, no framing around them. */
  raw(bytes: Uint8Array): Promise<void>
  /** Ends body and connection as HTTP ends them. */
  end(): Promise<void>
  cut(kind: CutKind): void
  /** Cuts as soon as the rule says where. The newest rule counts. */
  cutWhen(rule: CutRule, kind: CutKind): void
  /** Keeps the body back until this many bytes of it are there, or its end. */
  holdBack(untilBytes: number): void
  /** Compresses the body. @throws TestingError `head_was_sent` */
  compress(flush: 'each' | 'never'): void
}
