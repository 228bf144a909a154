import { CR, findCut, findLineEnd, LF } from './line-end.ts'
import { LineBuffer } from './line-buffer.ts'
import { ProtocolError } from './protocol-error.ts'
import { quote } from './quote.ts'
import { utf8Decoder } from './utf8-decoder.ts'
import { utf8Length } from './utf8-length.ts'

/** One event as it came off the wire. */
export interface ParsedEvent {
  /** The event type; `message` when the stream named none. */
  readonly type: string
  /** The payload. Its lines are joined by LF, whatever ended them on the wire. */
  readonly data: string
  /** The last event id in force when the event was dispatched; empty when there is none. */
  readonly lastEventId: string
  /** Millrace's extension field: the topic. Undefined when the event has none. */
  readonly topic: string | undefined
}

/** Who is told what the stream says, in the order of the stream, from within `push`. */
export interface EventStreamHandlers {
  onEvent(event: ParsedEvent): void
  /** The stream set the reconnection time: at once, before its block ends. Milliseconds, a safe integer; a greater one is cut to the greatest. */
  onRetry?(retryMs: number): void
  /** A comment line, without the colon and one space after it. */
  onComment?(text: string): void
  /** A block that sets the last event id has ended, with or without data. Called before the `onEvent` of the block. */
  onId?(lastEventId: string): void
}

export interface EventStreamParserOptions {
  /** The longest line, its end not counted. Bytes, 1 to 1 GiB. Past it `push` throws `line_too_long`. @default 16777216 */
  readonly maxLineBytes?: number | undefined
  /** The most `data` of one event. Bytes of UTF-8, 1 to 1 GiB. Past it `push` throws `event_too_large`. @default 16777216 */
  readonly maxEventBytes?: number | undefined
  /** The id to start from, such as one kept over a page load. @default '' */
  readonly lastEventId?: string | undefined
}

const DEFAULT_LIMIT_BYTES = 16 * 1024 * 1024
const MAX_LIMIT_BYTES = 1024 * 1024 * 1024

/**
 * Lines are decoded together, but no more bytes of them than this: a substring keeps the whole text alive that it was
 * cut from. On 60-byte events in 16 KiB chunks, 1,024 costs a tenth more time, 4,096 a tenth less.
 */
const WINDOW_BYTES = 2048

const SPACE = 32
const COLON = 58
const LOWER_D = 100
const LOWER_E = 101
const LOWER_I = 105
const LOWER_R = 114
const LOWER_T = 116
const BOM = 0xfeff

const utf8Encoder = new TextEncoder()

/**
 * Reads an event stream from bytes, to the letter of the HTML Standard §9.2.6.
 *
 * Chunks may be cut anywhere. Only whole lines are decoded, so that no character is ever cut, and the beginning of a
 * line whose end has not come is copied, so that no chunk is kept. The work is linear in the bytes, however small the
 * chunks are.
 *
 * Concurrency: a handler must not call `push`. It may call `reset`; the rest of the chunk is dropped then.
 * Errors: when a limit is broken or a handler throws, `push` throws that error. What was dispatched before it stands,
 * the rest of the chunk is dropped, and `push` throws the same error again until `reset` is called.
 * Ownership: the caller may reuse the chunk when `push` has returned. A string that is handed out keeps at most 4 KiB
 * or eight times its own size alive.
 */
export class EventStreamParser {
  readonly #handlers: EventStreamHandlers
  readonly #maxLineBytes: number
  readonly #maxEventBytes: number
  /** Not more than the longest line with its end: lines that are decoded together are then within the limit. */
  readonly #windowBytes: number

  readonly #line: LineBuffer = new LineBuffer()
  /** The last byte was a CR: an LF that follows belongs to it. */
  #afterCr = false
  #atStart = true
  /** What made the parser stop, boxed since anything can be thrown. */
  #failure: { readonly error: unknown } | undefined
  /** Counts the resets: code that has called a handler sees by it whether its stream is over. */
  #streamCount = 0

  #lastEventId: string
  /** The id of the block, when it has one. */
  #id: string | undefined
  #type = ''
  #topic: string | undefined
  #dataLines = 0
  /** The data buffer: from texts that are done with, and from the text in hand. */
  #earlierData = ''
  #freshData = ''
  /** Never less than the bytes in the data buffer. */
  #dataBytesBound = 0

  constructor(handlers: EventStreamHandlers, options: EventStreamParserOptions = {}) {
    this.#handlers = handlers
    this.#maxLineBytes = checkLimit('maxLineBytes', options.maxLineBytes)
    this.#maxEventBytes = checkLimit('maxEventBytes', options.maxEventBytes)
    this.#windowBytes = Math.min(WINDOW_BYTES, this.#maxLineBytes + 1)
    this.#lastEventId = options.lastEventId ?? ''
  }

  /** The id to resume from: the standard's last event ID string. Empty when there is none. */
  get lastEventId(): string {
    return this.#lastEventId
  }

  /** Makes ready for a new connection: forgets all that is unfinished and every failure. The last event id stays. */
  reset(): void {
    this.#streamCount++
    this.#line.clear()
    this.#afterCr = false
    this.#atStart = true
    this.#failure = undefined
    this.#id = undefined
    this.#type = ''
    this.#topic = undefined
    this.#clearData()
  }

  /**
   * Takes the next bytes of the stream, and calls the handlers for all that they complete.
   *
   * @throws ProtocolError `line_too_long` or `event_too_large`; whatever a handler throws.
   */
  push(chunk: Uint8Array): void {
    if (this.#failure) throw this.#failure.error
    const stream = this.#streamCount
    try {
      this.#readChunk(chunk)
    } catch (error) {
      if (stream === this.#streamCount) this.#failure = { error }
      throw error
    }
  }

  #readChunk(chunk: Uint8Array): void {
    const stream = this.#streamCount
    let at = 0
    if (this.#afterCr && chunk.length > 0) {
      this.#afterCr = false
      if (chunk[0] === LF) at = 1
    }
    if (this.#line.byteLength > 0) {
      const end = findLineEnd(chunk, at)
      this.#keep(chunk, at, end)
      if (end === chunk.length) return
      at = this.#passLineEnd(chunk, end)
      this.#readText(this.#line.take())
    }
    while (at < chunk.length && stream === this.#streamCount) {
      const windowEnd = Math.min(at + this.#windowBytes, chunk.length)
      let end = findCut(chunk, at, windowEnd)
      if (end < 0) {
        end = findLineEnd(chunk, windowEnd)
        if (end === chunk.length) return this.#keep(chunk, at, end)
        this.#checkLine(end - at)
      }
      const next = this.#passLineEnd(chunk, end)
      this.#readText(utf8Decoder.decode(chunk.subarray(at, next)))
      at = next
    }
  }

  #keep(chunk: Uint8Array, from: number, to: number): void {
    this.#checkLine(this.#line.byteLength + to - from)
    this.#line.append(chunk, from, to)
  }

  #checkLine(byteLength: number): void {
    if (byteLength <= this.#maxLineBytes) return
    throw new ProtocolError(
      'line_too_long',
      `A line of the stream has more than ${this.#maxLineBytes} bytes: raise maxLineBytes, or let the server send less.`,
    )
  }

  /** Where the next line starts. A CR at the end of the chunk has ended its line already, whether an LF follows or not. */
  #passLineEnd(chunk: Uint8Array, end: number): number {
    if (chunk[end] === LF) return end + 1
    this.#afterCr = end + 1 === chunk.length
    return chunk[end + 1] === LF ? end + 2 : end + 1
  }

  /** Reads whole lines. The hot loop: fields are told apart by character codes, and a line end is searched for once. */
  #readText(decoded: string): void {
    let text = decoded
    if (this.#atStart) {
      this.#atStart = false
      if (text.charCodeAt(0) === BOM) text = text.slice(1)
    }
    const stream = this.#streamCount
    let cr = text.indexOf('\r')
    let at = 0
    while (at < text.length && stream === this.#streamCount) {
      let end = text.indexOf('\n', at)
      let next = end + 1
      if (cr >= 0 && (cr < end || end < 0)) {
        if (cr + 1 !== end) next = cr + 1
        end = cr
        cr = text.indexOf('\r', next)
      }
      const first = text.charCodeAt(at)
      if (end === at) this.#endBlock()
      else if (first === LOWER_D && beginsData(text, at)) {
        const line = value(text, at + 4, end)
        if (this.#dataLines === 0 && text.charCodeAt(next) === LF && line.length * 3 <= this.#maxEventBytes) {
          // Most events have one line of data and a blank line after it: they pass the data buffer by.
          this.#dispatch(line)
          next++
        } else this.#addData(line)
      } else if (first === LOWER_I && begins(text, at, 'id')) this.#setId(value(text, at + 2, end))
      else if (first === LOWER_E && begins(text, at, 'event')) this.#type = value(text, at + 5, end)
      else if (first === LOWER_T && begins(text, at, 'topic')) this.#topic = value(text, at + 5, end)
      else if (first === LOWER_R && begins(text, at, 'retry')) this.#setRetry(value(text, at + 5, end))
      else if (first === COLON) this.#handlers.onComment?.(value(text, at, end))
      at = next
    }
    if (this.#freshData !== '') this.#settleData(text.length)
  }

  #setId(id: string): void {
    if (id.indexOf('\0') < 0) this.#id = id
  }

  #setRetry(digits: string): void {
    if (/^[0-9]+$/.test(digits)) this.#handlers.onRetry?.(Math.min(Number(digits), Number.MAX_SAFE_INTEGER))
  }

  #addData(line: string): void {
    this.#freshData = this.#dataLines++ === 0 ? line : `${this.#freshData}\n${line}`
    // No UTF-16 unit has more than three bytes. They are counted only when the bound says that they may be too many.
    this.#dataBytesBound += line.length * 3 + 1
    if (this.#dataBytesBound <= this.#maxEventBytes) return
    this.#dataBytesBound = utf8Length(this.#earlierData + this.#freshData)
    if (this.#dataBytesBound <= this.#maxEventBytes) return
    throw new ProtocolError(
      'event_too_large',
      `An event of the stream has more than ${this.#maxEventBytes} bytes of data: raise maxEventBytes, or let the server send less.`,
    )
  }

  /** The text is done with: what an unfinished event has of it is copied when it is a small part. */
  #settleData(textLength: number): void {
    const small = this.#freshData.length * 8 < textLength
    this.#earlierData += small ? utf8Decoder.decode(utf8Encoder.encode(this.#freshData)) : this.#freshData
    this.#freshData = ''
  }

  #clearData(): void {
    this.#dataLines = 0
    this.#earlierData = ''
    this.#freshData = ''
    this.#dataBytesBound = 0
  }

  #endBlock(): void {
    if (this.#dataLines > 0) {
      const data = this.#earlierData + this.#freshData
      this.#clearData()
      this.#dispatch(data)
      return
    }
    this.#type = ''
    this.#topic = undefined
    this.#commitId()
  }

  #dispatch(data: string): void {
    const type = this.#type === '' ? 'message' : this.#type
    const topic = this.#topic
    this.#type = ''
    this.#topic = undefined
    if (this.#commitId()) this.#handlers.onEvent({ type, data, lastEventId: this.#lastEventId, topic })
  }

  /** False when the handler has reset the parser: the block belongs to a stream that is over. */
  #commitId(): boolean {
    if (this.#id === undefined) return true
    const stream = this.#streamCount
    this.#lastEventId = this.#id
    this.#id = undefined
    this.#handlers.onId?.(this.#lastEventId)
    return stream === this.#streamCount
  }
}

/** As `begins` for `data`, without its loop: an eighth less time for events of one line. */
function beginsData(text: string, at: number): boolean {
  if (text.charCodeAt(at + 1) !== 97 || text.charCodeAt(at + 2) !== 116 || text.charCodeAt(at + 3) !== 97) return false
  const after = text.charCodeAt(at + 4)
  return after === COLON || after === LF || after === CR
}

/** Whether the line at `at`, whose first character is right, is of the field `name`: the name, and then a colon or the line's end. */
function begins(text: string, at: number, name: string): boolean {
  for (let i = 1; i < name.length; i++) {
    if (text.charCodeAt(at + i) !== name.charCodeAt(i)) return false
  }
  const after = text.charCodeAt(at + name.length)
  return after === COLON || after === LF || after === CR
}

/** The value of a line whose field name ends at `nameEnd`: what follows the colon, but for one space. */
function value(text: string, nameEnd: number, end: number): string {
  return nameEnd === end ? '' : text.slice(text.charCodeAt(nameEnd + 1) === SPACE ? nameEnd + 2 : nameEnd + 1, end)
}

function checkLimit(name: string, bytes: number = DEFAULT_LIMIT_BYTES): number {
  if (Number.isInteger(bytes) && bytes >= 1 && bytes <= MAX_LIMIT_BYTES) return bytes
  throw new ProtocolError(
    'invalid_option',
    `${name} is ${quote(bytes)}: give a whole number of bytes from 1 to ${MAX_LIMIT_BYTES}.`,
  )
}
