import { ProtocolError } from './protocol-error.ts'
import { quote } from './quote.ts'

/** The fields of one event. What is left out is not written. */
export interface EventFields {
  /** What a client sends back as `Last-Event-ID`. Empty: the client forgets its id. No CR, LF or NUL. */
  readonly id?: string | undefined
  /** The event type. Left out or empty, clients take `message`. No CR or LF. */
  readonly event?: string | undefined
  /** Millrace's extension field: the topic. Clients that do not know it ignore it (HTML §9.2.6). No CR or LF. */
  readonly topic?: string | undefined
  /** Sets the client's reconnection time. Milliseconds, an integer from 0 to {@link MAX_RETRY_MS}. */
  readonly retryMs?: number | undefined
  /**
   * The payload. It may have many lines: CRLF, CR and LF each end one, and all arrive as LF. Left out, clients see no
   * event at all, only the id and the reconnection time, and Firefox does not keep that id.
   */
  readonly data?: string | undefined
}

/** The longest reconnection time that is sent: timers of clients wrap to 1 ms above it. About 24.8 days. */
export const MAX_RETRY_MS = 0x7fff_ffff

const LINE_END = /\r\n?|\n/g

/**
 * Writes one event in the fixed order id, event, topic, retry, data, and the blank line that ends it.
 *
 * No value can end its line and begin another: a parser gives back what was put in, and never one event more. Lone
 * surrogates, which UTF-8 cannot carry, become U+FFFD.
 *
 * @example
 * encodeEvent({ id: '7', event: 'tick', data: 'one\ntwo' }) // 'id: 7\nevent: tick\ndata: one\ndata: two\n\n'
 *
 * @throws ProtocolError `invalid_field`, naming the field, its value, and what to do.
 */
export function encodeEvent(fields: EventFields): string {
  const { id, event, topic, retryMs, data } = fields
  let block = ''
  if (id !== undefined) {
    block = line('id', id)
    // A client ignores an id with NUL (HTML §9.2.6), and would resume from an older one without a word.
    if (id.includes('\0'))
      throw new ProtocolError(
        'invalid_field',
        `The id ${quote(id)} has a NUL, for which clients ignore it: leave it out.`,
      )
  }
  if (event !== undefined) block += line('event', event)
  if (topic !== undefined) block += line('topic', topic)
  if (retryMs !== undefined) block += retryLine(retryMs)
  if (data !== undefined) block += `data: ${splitLines(data, 'data: ')}\n`
  return `${block}\n`.toWellFormed()
}

/**
 * Writes a comment, which clients ignore: one line `: text` for each line of the text, and a blank line, so that it is
 * a block of its own that may stand between any two others.
 */
export function encodeComment(text: string): string {
  return `: ${splitLines(text, ': ')}\n\n`.toWellFormed()
}

/**
 * Writes a block that only sets the client's reconnection time.
 *
 * @param retryMs Milliseconds, an integer from 0 to {@link MAX_RETRY_MS}.
 * @throws ProtocolError `invalid_field`
 */
export function encodeRetry(retryMs: number): string {
  return `${retryLine(retryMs)}\n`
}

/** The type checks are for callers without types: an object could show one text to a check and another to the stream. */
function line(name: string, value: string): string {
  if (typeof value !== 'string')
    throw new ProtocolError('invalid_field', `The ${name} ${quote(value)} is not a string: make it one.`)
  if (value.includes('\n') || value.includes('\r')) {
    throw new ProtocolError(
      'invalid_field',
      `The ${name} ${quote(value)} has a line break, which would end the field: take it out or percent-encode it.`,
    )
  }
  return `${name}: ${value}\n`
}

function retryLine(retryMs: number): string {
  if (!Number.isInteger(retryMs) || retryMs < 0 || retryMs > MAX_RETRY_MS) {
    throw new ProtocolError(
      'invalid_field',
      `The retry time ${quote(retryMs)} is not a whole number of milliseconds from 0 to ${MAX_RETRY_MS}.`,
    )
  }
  return `retry: ${retryMs}\n`
}

/** Begins each further line with the prefix. Most texts are one line, and two searches are far cheaper than one replacement. */
function splitLines(text: string, prefix: string): string {
  if (typeof text !== 'string')
    throw new ProtocolError(
      'invalid_field',
      `The text ${quote(text)} is not a string: make it one, for example by JSON.stringify.`,
    )
  return text.includes('\n') || text.includes('\r') ? text.replace(LINE_END, `\n${prefix}`) : text
}
