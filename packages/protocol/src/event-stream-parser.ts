// Over 300 lines: chunks, lines, fields and limits share one state, and each call between them costs in the hot loop.
import type { EventStreamHandlers } from './event-stream-handlers.ts'
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

const DEFAULT_LIMIT_BYTES = 2 ** 24
const MAX_LIMIT_BYTES = 2 ** 28

/** The most that is decoded together: a substring keeps the whole text alive that it was cut from. Bytes. */
const WINDOW_BYTES = 4096
/** How far from the end of a window a line end is looked for. Bytes. */
const TAIL_BYTES = 1024
/** In a long line, less than this is collected before it is decoded. Bytes. */
const SMALL_BYTES = 512
/** What is decoded at once of a line that is longer than a window. Bytes. */
const PIECE_BYTES = 16_384
const LF = 10
const CR = 13
const SPACE = 32
const COLON = 58
const utf8Encoder = new TextEncoder()

/**
 * Reads an event stream from bytes, to the letter of the HTML Standard §9.2.6.
 *
 * Chunks may be cut anywhere. Whole lines are decoded together, and the beginning of a line whose end has not come is
 * copied, so that no chunk is kept. The work is linear in the bytes, however small the chunks are.
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
  readonly #maxUnits: number
  /** Not more than the longest line with its end: lines that are decoded together are then within the limit. */
  readonly #windowBytes: number

  /** The bytes of the line whose end has not come. */
  #lineBytes = 0
  /** Those that are not text yet, and how many they are; there is a place for a line end behind them. */
  readonly #room = new Uint8Array(WINDOW_BYTES + 1)
  #used = 0
  /** The text of those before, when the line is a long one. What made it may have the beginning of a character. */
  #longLine = ''
  #decoder: TextDecoder | undefined
  #afterCr = false
  #atStart = true
  /** What made the parser stop, boxed since anything can be thrown. */
  #failure: { readonly error: unknown } | undefined
  /** Counts the resets: code that has called a handler sees by it whether its stream is over. */
  #streamCount = 0

  #lastEventId: string
  /** Of the block: undefined when it has none. */
  #id: string | undefined
  #type: string | undefined
  #topic: string | undefined
  /** The data buffer, from texts that are done with. */
  #data: string | undefined
  /** So many UTF-16 units more are surely within the limit. */
  #unitsLeft: number

  constructor(handlers: EventStreamHandlers, options: EventStreamParserOptions = {}) {
    this.#handlers = handlers
    this.#maxLineBytes = checkLimit('maxLineBytes', options.maxLineBytes)
    this.#maxEventBytes = checkLimit('maxEventBytes', options.maxEventBytes)
    this.#windowBytes = Math.min(WINDOW_BYTES, this.#maxLineBytes + 1)
    this.#unitsLeft = this.#maxUnits = fitting(this.#maxEventBytes)
    this.#lastEventId = options.lastEventId ?? ''
  }

  /** The id to resume from: the standard's last event ID string. Empty when there is none. */
  get lastEventId(): string {
    return this.#lastEventId
  }

  /** Makes ready for a new connection: forgets all that is unfinished and every failure. The last event id stays. */
  reset(): void {
    this.#streamCount++
    this.#clearLine()
    this.#afterCr = false
    this.#atStart = true
    this.#unitsLeft = this.#maxUnits
    this.#failure = this.#id = this.#type = this.#topic = this.#data = undefined
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
    const { length } = chunk
    let at = 0
    while (at < length && stream === this.#streamCount) {
      if (this.#afterCr) {
        this.#afterCr = false
        if (chunk[at] === LF) {
          at++
          continue
        }
      }
      let text: string
      let next = this.#lineBytes > 0 ? at : afterLastLine(chunk, at, Math.min(at + this.#windowBytes, length))
      if (next > at) text = utf8Decoder.decode(at > 0 || next < length ? chunk.subarray(at, next) : chunk)
      else {
        at = this.#keep(chunk, at)
        if (at === length || !isLineEnd(chunk[at])) continue
        next = at + 1
        text = this.#takeLine()
      }
      // A CR at the end of the chunk has ended its line already, whether an LF follows or not.
      this.#afterCr = chunk[next - 1] === CR
      at = next
      this.#readText(text)
    }
  }

  /** Keeps what comes of a line, up to its end; returns where that is, or how far it has come. */
  #keep(chunk: Uint8Array, from: number): number {
    let at = from
    if (this.#longLine === '' || chunk.length - at < SMALL_BYTES) {
      // Few bytes, mostly: a loop is faster than calls.
      let used = this.#used
      while (at < chunk.length && used < WINDOW_BYTES && !isLineEnd(chunk[at]))
        this.#room[used++] = chunk[at++] as number
      this.#used = used
      if (used === WINDOW_BYTES) this.#lengthen(this.#room.subarray(0, used))
    } else {
      if (this.#used > 0) this.#lengthen(this.#room.subarray(0, this.#used))
      at += this.#lengthen(chunk.subarray(at, at + PIECE_BYTES))
    }
    this.#lineBytes += at - from
    if (this.#lineBytes > this.#maxLineBytes) {
      throw tooLarge('line_too_long', 'A line', this.#maxLineBytes, 'maxLineBytes')
    }
    return at
  }

  /** Adds bytes to the text of a long line, as far as it goes: returns how many they were. The room is empty then. */
  #lengthen(bytes: Uint8Array): number {
    this.#decoder ??= new TextDecoder('utf-8', { ignoreBOM: true })
    const text = this.#decoder.decode(bytes, { stream: true })
    const lf = text.indexOf('\n')
    const cr = text.indexOf('\r')
    const end = lf < 0 || (cr >= 0 && cr < lf) ? cr : lf
    this.#used = 0
    this.#longLine += end < 0 ? text : text.slice(0, end)
    if (end < 0) return bytes.length
    // It has seen what is behind the line.
    this.#decoder = undefined
    return bytes.findIndex(isLineEnd)
  }

  /** The line that is kept, with an LF after it. Nothing is kept then. */
  #takeLine(): string {
    this.#room[this.#used] = LF
    const end = this.#room.subarray(0, this.#used + 1)
    const text =
      this.#longLine === '' ? utf8Decoder.decode(end) : this.#longLine + (this.#decoder ?? utf8Decoder).decode(end)
    this.#clearLine()
    return text
  }

  #clearLine(): void {
    this.#lineBytes = this.#used = 0
    this.#longLine = ''
    this.#decoder = undefined
  }

  /**
   * Reads whole lines. The hot loop: fields are told apart by character codes, which are never read past the end, since
   * an engine compiles that much worse.
   */
  #readText(text: string): void {
    const stream = this.#streamCount
    const { length } = text
    let at = 0
    if (this.#atStart) {
      this.#atStart = false
      if (text[0] === '\ufeff') at = 1
    }
    /** The data of the block that is in this text. */
    let data: string | undefined
    let unitsLeft = this.#unitsLeft
    /** The next CR; `length` when there is none. In two steps, or some engines search anew in each turn. */
    let cr = -1
    if (text.indexOf('\r') < 0) cr = length
    let hasNul: boolean | undefined
    let next: number
    for (; at < length && stream === this.#streamCount; at = next) {
      const first = text.charCodeAt(at)
      if (first === LF || first === CR) {
        next = afterLineEnd(text, at, first)
        if (this.#data !== undefined) data = data === undefined ? this.#data : `${this.#data}\n${data}`
        this.#dispatch(data)
        data = undefined
        unitsLeft = this.#unitsLeft = this.#maxUnits
        continue
      }
      let end = text.indexOf('\n', at)
      next = end + 1
      if (cr < length) {
        if (cr < at && (cr = text.indexOf('\r', at)) < 0) cr = length
        if (cr < end || end < 0) {
          if (cr + 1 !== end) next = cr + 1
          end = cr
        }
      }
      if (first === 100) {
        if (!isName(text, at, 97, 116, 97) || !isNameEnd(text, at + 4, end)) continue
        const line = value(text, at + 4, end)
        if (data !== undefined) data = `${data}\n${line}`
        else {
          const after = next < length ? text.charCodeAt(next) : 0
          if ((after === LF || after === CR) && this.#data === undefined && line.length < unitsLeft) {
            // Most events have one line of data and a blank line after it: they pass the data buffer by.
            next = afterLineEnd(text, next, after)
            this.#dispatch(line)
            continue
          }
          data = line
        }
        if ((unitsLeft -= line.length + 1) < 0) unitsLeft = this.#countData(data)
      } else if (first === 105) {
        if (text.charCodeAt(at + 1) !== 100 || !isNameEnd(text, at + 2, end)) continue
        const id = value(text, at + 2, end)
        if (!(hasNul ??= text.indexOf('\0') >= 0) || id.indexOf('\0') < 0) this.#id = id
      } else if (first === 101) {
        if (isName(text, at, 118, 101, 110) && text.charCodeAt(at + 4) === 116 && isNameEnd(text, at + 5, end)) {
          this.#type = value(text, at + 5, end)
        }
      } else if (first === 116) {
        if (isName(text, at, 111, 112, 105) && text.charCodeAt(at + 4) === 99 && isNameEnd(text, at + 5, end)) {
          this.#topic = value(text, at + 5, end)
        }
      } else if (first === COLON) this.#handlers.onComment?.(value(text, at, end))
      else if (first === 114) {
        const digits = /^retry: ?(\d+)$/.exec(text.slice(at, end))?.[1]
        if (digits) this.#handlers.onRetry?.(Math.min(Number(digits), 2 ** 53 - 1))
      }
    }
    if (data === undefined || stream !== this.#streamCount) return
    this.#unitsLeft = unitsLeft
    // The text is done with: what an unfinished event has of it is copied when it is a small part.
    if (data.length * 8 < length) data = utf8Decoder.decode(utf8Encoder.encode(data))
    this.#data = this.#data === undefined ? data : `${this.#data}\n${data}`
  }

  /** Counts the bytes of the data buffer, whose last part is given; returns how many units more surely fit. */
  #countData(data: string): number {
    const earlierBytes = this.#data === undefined ? 0 : byteLength(this.#data) + 1
    const bytesLeft = this.#maxEventBytes - earlierBytes - byteLength(data)
    if (bytesLeft >= 0) return fitting(bytesLeft)
    throw tooLarge('event_too_large', 'The data of an event', this.#maxEventBytes, 'maxEventBytes')
  }

  /** Ends a block with the data given; a block without data makes no event, but its id counts. */
  #dispatch(data: string | undefined): void {
    const stream = this.#streamCount
    const type = this.#type || 'message'
    const topic = this.#topic
    this.#type = this.#topic = this.#data = undefined
    if (this.#id !== undefined) {
      this.#lastEventId = this.#id
      this.#id = undefined
      this.#handlers.onId?.(this.#lastEventId)
    }
    // The handler may have reset the parser: the block belongs to a stream that is over.
    if (data !== undefined && stream === this.#streamCount) {
      this.#handlers.onEvent({ type, data, lastEventId: this.#lastEventId, topic })
    }
  }
}

function isLineEnd(code: number | undefined): boolean {
  return code === LF || code === CR
}

/** Behind the last line end in [from, to), or `from` when there is none near `to`. */
function afterLastLine(bytes: Uint8Array, from: number, to: number): number {
  const least = Math.max(from, to - TAIL_BYTES)
  let at = to
  while (at > least && !isLineEnd(bytes[at - 1])) at--
  return at > least ? at : from
}

/** Behind the line end whose first character, at `at`, is `code`. */
function afterLineEnd(text: string, at: number, code: number): number {
  return code === CR && at + 1 < text.length && text.charCodeAt(at + 1) === LF ? at + 2 : at + 1
}

/** Whether these three follow the first character of a line. */
function isName(text: string, at: number, second: number, third: number, fourth: number): boolean {
  return text.charCodeAt(at + 1) === second && text.charCodeAt(at + 2) === third && text.charCodeAt(at + 3) === fourth
}

/** Whether the name of a field ends here, by a colon or with the line. */
function isNameEnd(text: string, at: number, end: number): boolean {
  return at === end || text.charCodeAt(at) === COLON
}

/** The value of a line whose field name ends at `nameEnd`: what follows the colon, but for one space. */
function value(text: string, nameEnd: number, end: number): string {
  return nameEnd === end ? '' : text.slice(text.charCodeAt(nameEnd + 1) === SPACE ? nameEnd + 2 : nameEnd + 1, end)
}

function byteLength(text: string): number {
  return utf8Encoder.encode(text).length
}

/** How many UTF-16 units surely fit: none has more than three bytes. */
function fitting(bytes: number): number {
  return Math.floor(bytes / 3)
}

function tooLarge(code: ProtocolErrorCode, what: string, maxBytes: number, option: string): ProtocolError {
  return new ProtocolError(code, `${what} has more than ${maxBytes} bytes: raise ${option} or send less.`)
}

function checkLimit(name: string, bytes: number = DEFAULT_LIMIT_BYTES): number {
  if (Number.isInteger(bytes) && bytes >= 1 && bytes <= MAX_LIMIT_BYTES) return bytes
  throw new ProtocolError('invalid_option', `${name} is ${bytes}: give a whole number from 1 to ${MAX_LIMIT_BYTES}.`)
}
