import { EventStreamParser, type EventStreamHandlers } from '@millrace/protocol'

/** What a stream may make the reader hold. */
export interface BodyLimits {
  /** The longest line. Bytes, 1 to 256 MiB. @default 16777216 */
  readonly maxLineBytes?: number | undefined
  /** The most `data` of one event. Bytes, 1 to 256 MiB. @default 16777216 */
  readonly maxEventBytes?: number | undefined
}

export interface BodyHandlers extends EventStreamHandlers {
  /** Bytes have come, of whatever kind: called before they are parsed. More than 0. */
  onBytes?(count: number): void
}

/** How the reading of a body has ended. */
export type BodyEnd =
  /** The server has ended the stream. */
  | { readonly kind: 'ended' }
  /** The connection broke: `error` is what the body was errored with. */
  | { readonly kind: 'network'; readonly error: unknown; readonly opened: true }
  /** What came cannot be read on: a limit of the parser was broken (a `ProtocolError`), it is not bytes, or a handler threw. */
  | { readonly kind: 'unreadable'; readonly error: unknown }
  /** The caller's signal. */
  | { readonly kind: 'aborted' }

export interface BodyReading {
  /** The id that events have until the stream sends another. */
  readonly lastEventId: string
  /** Ends the reading, at once and in the middle of a chunk. */
  readonly signal: AbortSignal
  readonly limits?: BodyLimits | undefined
}

/** Reads the bytes of one event stream to their end. Never rejects. The body must not be locked; it is cancelled unless it ends by itself. */
export async function readBody(
  body: ReadableStream<Uint8Array>,
  handlers: BodyHandlers,
  { lastEventId, signal, limits }: BodyReading,
): Promise<BodyEnd> {
  const reader = body.getReader()
  const cancel = (): void => void reader.cancel().catch(() => {})
  let parser: EventStreamParser
  try {
    parser = new EventStreamParser(handlers, { ...limits, lastEventId })
  } catch (error) {
    cancel()
    return { kind: 'unreadable', error }
  }
  const onAbort = (): void => {
    // The parser drops the rest of the chunk in hand.
    parser.reset()
    cancel()
  }
  signal.addEventListener('abort', onAbort)
  if (signal.aborted) onAbort()
  const end = await readChunks(reader, parser, handlers, signal)
  signal.removeEventListener('abort', onAbort)
  if (end.kind === 'unreadable') cancel()
  return signal.aborted ? { kind: 'aborted' } : end
}

async function readChunks(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  parser: EventStreamParser,
  handlers: BodyHandlers,
  signal: AbortSignal,
): Promise<BodyEnd> {
  while (!signal.aborted) {
    let chunk: Uint8Array
    try {
      const { done, value } = await reader.read()
      if (done) return { kind: 'ended' }
      chunk = value
    } catch (error) {
      return { kind: 'network', error, opened: true }
    }
    if (signal.aborted) break
    try {
      if (!ArrayBuffer.isView(chunk)) throw new TypeError(`The body of an event stream is ${typeof chunk}, not bytes.`)
      if (chunk.length > 0) handlers.onBytes?.(chunk.length)
      if (!signal.aborted) parser.push(chunk)
    } catch (error) {
      return { kind: 'unreadable', error }
    }
  }
  return { kind: 'aborted' }
}
