import type { EventStreamHandlers } from './event-stream-handlers.ts'
import { CR, findCut, findLineEnd, LF } from './line-end.ts'
import { LineBuffer } from './line-buffer.ts'
import { ProtocolError, type ProtocolErrorCode } from './protocol-error.ts'
import { utf8Decoder } from './utf8-decoder.ts'

export interface EventStreamParserOptions {
  /** The longest line, its end not counted. Bytes, 1 to 256 MiB. Past it `push` throws `line_too_long`. @default 16777216 */
  readonly maxLineBytes?: number | undefined
  /** The most `data` of one event. Bytes of UTF-8, 1 to 256 MiB. Past it `push` throws `event_too_large`. @default 16777216 */
  readonly maxEventBytes?: number | undefined
  /** The id to start from, such as one kept over a page load. @default '' */
  readonly lastEventId?: string | undefined
}

const DEFAULT_LIMIT_BYTES = 16 * 1024 * 1024
const MAX_LIMIT_BYTES = 256 * 1024 * 1024

/** The most that is decoded together: a substring keeps the whole text alive that it was cut from. Bytes. */
const WINDOW_BYTES = 4096
const SPACE = 32
const COLON = 58
const LOWER_D = 100
const LOWER_E = 101
const LOWER_I = 105
const LOWER_R = 114
const LOWER_T = 116
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
      // Small chunks often start with a blank line: it need not be decoded.
      if (chunk[at] === LF || chunk[at] === CR) {
        at = this.#passLineEnd(chunk, at)
        this.#atStart = false
        this.#endBlock()
        continue
      }
      const windowEnd = Math.min(at + this.#windowBytes, chunk.length)
      let end = findCut(chunk, at, windowEnd)
      if (end < 0) {
        end = findLineEnd(chunk, windowEnd)
        if (end === chunk.length) return this.#keep(chunk, at, end)
        this.#checkLine(end - at)
      }
      const next = this.#passLineEnd(chunk, end)
      // Small chunks are whole events often, and a view costs a third of what decoding it does.
      const lines = at === 0 && next === chunk.length ? chunk : chunk.subarray(at, next)
      this.#readText(utf8Decoder.decode(lines))
      at = next
    }
  }

  #keep(chunk: Uint8Array, from: number, to: number): void {
    this.#checkLine(this.#line.byteLength + to - from)
    this.#line.append(chunk, from, to)
  }

  #checkLine(byteLength: number): void {
    if (byteLength > this.#maxLineBytes) throw tooLarge('line_too_long', 'A line', this.#maxLineBytes, 'maxLineBytes')
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
      if (text.startsWith('\ufeff')) text = text.slice(1)
    }
    const stream = this.#streamCount
    let cr = text.indexOf('\r')
    let at = 0
    while (at < text.length && stream === this.#streamCount) {
      const first = text.charCodeAt(at)
      if (first === LF || first === CR) {
        at += first === CR && text.charCodeAt(at + 1) === LF ? 2 : 1
        this.#endBlock()
        continue
      }
      let end = text.indexOf('\n', at)
      let next = end + 1
      if (cr >= 0) {
        if (cr < at) cr = text.indexOf('\r', at)
        if (cr >= 0 && (cr < end || end < 0)) {
          if (cr + 1 !== end) next = cr + 1
          end = cr
        }
      }
      if (first === LOWER_D && isData(text, at, end)) {
        const line = value(text, at + 4, end)
        const after = text.charCodeAt(next)
        if (this.#dataLines === 0 && (after === LF || after === CR) && line.length * 3 <= this.#maxEventBytes) {
          // Most events have one line of data and a blank line after it: they pass the data buffer by.
          this.#dispatch(line)
          next += after === CR && text.charCodeAt(next + 1) === LF ? 2 : 1
        } else this.#addData(line)
      } else if (first === LOWER_I && isField('id', text, at, end)) this.#setId(value(text, at + 2, end))
      else if (first === LOWER_E && isField('event', text, at, end)) this.#type = value(text, at + 5, end)
      else if (first === LOWER_T && isField('topic', text, at, end)) this.#topic = value(text, at + 5, end)
      else if (first === LOWER_R && isField('retry', text, at, end)) this.#setRetry(value(text, at + 5, end))
      else if (first === COLON) this.#handlers.onComment?.(value(text, at, end))
      at = next
    }
    if (this.#freshData !== '') this.#settleData(text.length)
  }

  #setId(id: string): void {
    if (id.indexOf('\0') < 0) this.#id = id
  }

  #setRetry(digits: string): void {
    if (/^\d+$/.test(digits)) this.#handlers.onRetry?.(Math.min(Number(digits), Number.MAX_SAFE_INTEGER))
  }

  #addData(line: string): void {
    this.#freshData = this.#dataLines++ === 0 ? line : `${this.#freshData}\n${line}`
    // No UTF-16 unit has more than three bytes. They are counted only when the bound says that they may be too many.
    this.#dataBytesBound += line.length * 3 + 1
    if (this.#dataBytesBound <= this.#maxEventBytes) return
    this.#dataBytesBound = utf8Encoder.encode(this.#earlierData + this.#freshData).length
    if (this.#dataBytesBound > this.#maxEventBytes) {
      throw tooLarge('event_too_large', 'The data of an event', this.#maxEventBytes, 'maxEventBytes')
    }
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
    const data = this.#dataLines === 0 ? undefined : this.#earlierData + this.#freshData
    this.#clearData()
    this.#dispatch(data)
  }

  /** Ends a block with the data given; a block without data makes no event, but its id counts. */
  #dispatch(data: string | undefined): void {
    const type = this.#type === '' ? 'message' : this.#type
    const topic = this.#topic
    this.#type = ''
    this.#topic = undefined
    if (this.#commitId() && data !== undefined) {
      this.#handlers.onEvent({ type, data, lastEventId: this.#lastEventId, topic })
    }
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

/** Whether the line is of the field `name`, and a colon or nothing behind it. Its first character is known to be right. */
function isField(name: string, text: string, at: number, end: number): boolean {
  for (let i = 1; i < name.length; i++) {
    if (text.charCodeAt(at + i) !== name.charCodeAt(i)) return false
  }
  return at + name.length === end || text.charCodeAt(at + name.length) === COLON
}

/** The same for `data`, without the loop: a tenth less time for events of one line (benchmarks/protocol/parser-speed.ts). */
function isData(text: string, at: number, end: number): boolean {
  return (
    text.charCodeAt(at + 1) === 97 &&
    text.charCodeAt(at + 2) === 116 &&
    text.charCodeAt(at + 3) === 97 &&
    (at + 4 === end || text.charCodeAt(at + 4) === COLON)
  )
}

/** The value of a line whose field name ends at `nameEnd`: what follows the colon, but for one space. */
function value(text: string, nameEnd: number, end: number): string {
  return nameEnd === end ? '' : text.slice(text.charCodeAt(nameEnd + 1) === SPACE ? nameEnd + 2 : nameEnd + 1, end)
}

function tooLarge(code: ProtocolErrorCode, what: string, maxBytes: number, option: string): ProtocolError {
  return new ProtocolError(code, `${what} has more than ${maxBytes} bytes: raise ${option} or send less.`)
}

function checkLimit(name: string, bytes: number = DEFAULT_LIMIT_BYTES): number {
  if (Number.isInteger(bytes) && bytes >= 1 && bytes <= MAX_LIMIT_BYTES) return bytes
  throw new ProtocolError('invalid_option', `${name} is ${bytes}: give a whole number from 1 to ${MAX_LIMIT_BYTES}.`)
}
