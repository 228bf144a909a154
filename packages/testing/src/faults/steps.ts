import { encodeEvent } from '@millrace/protocol'
import { setImmediate } from 'node:timers/promises'
import { TestingError } from '../testing-error.ts'
import type { HeaderList, HeadOptions, Step } from './answer.ts'
import { afterBytes, type CutKind, type CutRule } from './cut-rule.ts'
import { forwardTo } from './forward.ts'

/** An event to send. What is left out is not written. */
export interface EventToSend {
  readonly id?: string | undefined
  /** @default none, which clients take for `message` */
  readonly type?: string | undefined
  /** Millrace's extension field. */
  readonly topic?: string | undefined
  /** Sets the client's reconnection time. Milliseconds. */
  readonly retryMs?: number | undefined
  /** A string goes as it is, any other value as JSON. Left out, no client sees an event. */
  readonly data?: unknown
}

/** Text and bytes go as they are, an object as an event. */
export type Sendable = string | Uint8Array | EventToSend

/**
 * Sends the head of the answer: of an event stream, unless told otherwise. A script that begins with `send` has it by
 * itself. A wrong content type is `head({ headers: { 'Content-Type': 'text/html' } })`.
 */
export function head(options: HeadOptions = {}): Step {
  return (answer) => answer.head(options)
}

/** Sends parts of the body, each in a write of its own. */
export function send(...parts: readonly Sendable[]): Step {
  const all = parts.map(bytesOf)
  return async (answer) => {
    for (const bytes of all) await answer.write(bytes)
  }
}

export interface DripOptions {
  /** How many bytes at a time; 1 or more. @default 1 */
  readonly sizeBytes?: number | undefined
  /** The time between two drops. Milliseconds. @default 0 */
  readonly everyMs?: number | undefined
}

/** Sends a part of the body in drops. Each is a chunk of its own; how the network joins them is not in our hands. */
export function drip(part: Sendable, { sizeBytes = 1, everyMs = 0 }: DripOptions = {}): Step {
  needCount('sizeBytes', sizeBytes, 1)
  needCount('everyMs', everyMs, 0)
  const bytes = bytesOf(part)
  return async (answer) => {
    for (let at = 0; at < bytes.length && answer.isOpen; at += sizeBytes) {
      if (at > 0) await (everyMs > 0 ? sleep(everyMs, answer.signal) : setImmediate())
      await answer.write(bytes.subarray(at, at + sizeBytes))
    }
  }
}

/** Sends bytes outside of HTTP's framing: a broken head, a chunk size that lies. */
export function raw(bytes: string | Uint8Array): Step {
  const all = bytesOf(bytes)
  return (answer) => answer.raw(all)
}

/** Waits for a time in milliseconds, or until the test lets it go on. Before `head` it delays the whole answer. */
export function wait(until: number | Promise<unknown>): Step {
  if (typeof until === 'number') needCount('wait', until, 0)
  return (answer) =>
    typeof until === 'number' ? sleep(until, answer.signal) : Promise.race([until, over(answer.signal)]).then(() => {})
}

/** Says nothing more and keeps the connection: a stream without news, or a host that is gone without a word. */
export function silence(): Step {
  return (answer) => over(answer.signal)
}

/** Cuts the connection here: without the last chunk, so that a client can tell it from an end. */
export function cut(kind: CutKind = 'fin'): Step {
  return (answer) => answer.cut(kind)
}

/** Cuts the connection when the answer reaches a place, whichever step sends it. First in the script. */
export function cutAt(place: number | CutRule, kind: CutKind = 'fin'): Step {
  const rule = typeof place === 'number' ? afterBytes(place) : place
  return (answer) => answer.cutWhen(rule, kind)
}

/**
 * Sends the head, and keeps the body back as a buffering proxy does: until so many bytes of it have come together, or, left
 * out, to the end of the answer. Before what it is to keep back.
 */
export function holdBack(untilBytes: number | false = false): Step {
  if (untilBytes !== false) needCount('untilBytes', untilBytes, 1)
  return (answer) => answer.holdBack(untilBytes === false ? Number.POSITIVE_INFINITY : untilBytes)
}

/**
 * Compresses the body, whether the client asked for it or not. With `flush: 'never'` it arrives in clumps, as behind a
 * compressing middleware that does not know of streams. First in the script.
 */
export function gzip({ flush = 'each' }: { readonly flush?: 'each' | 'never' | undefined } = {}): Step {
  return (answer) => answer.compress(flush)
}

export interface ReplyOptions {
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** @default '' */
  readonly body?: string | undefined
  /** Adds `Retry-After`. Seconds, 0 or more. */
  readonly retryAfterSeconds?: number | undefined
  /** How `Retry-After` says it (RFC 9110, 10.2.3); a date counts from when it is sent. @default 'seconds' */
  readonly retryAfterForm?: 'seconds' | 'date' | undefined
}

/** A whole answer that is no stream: `reply(503, { retryAfterSeconds: 2 })`, `reply(401)`, `reply(204)`. */
export function reply(status: number, options: ReplyOptions = {}): Step {
  if (!Number.isInteger(status) || status < 200 || status > 999) {
    throw new TestingError('invalid_option', `reply(${status}): give a status from 200 to 999.`)
  }
  const { headers = {}, body = '', retryAfterSeconds, retryAfterForm = 'seconds' } = options
  if (retryAfterSeconds !== undefined) needCount('retryAfterSeconds', retryAfterSeconds, 0)
  return async (answer) => {
    const bytes = Buffer.from(body)
    const own: Record<string, string> = { 'Content-Length': String(bytes.length) }
    if (retryAfterSeconds !== undefined) own['Retry-After'] = retryAfter(retryAfterSeconds, retryAfterForm)
    await answer.head({ status, headers: merged({ 'Content-Type': 'text/plain; charset=utf-8' }, headers, own) })
    await answer.write(bytes)
    await answer.end()
  }
}

/** Sends the client elsewhere. @param location absolute, or relative to what was asked for */
export function redirect(location: string, status: 301 | 302 | 303 | 307 | 308 = 307): Step {
  return reply(status, { headers: { Location: location } })
}

/**
 * Hands the request on to the server's `upstream`, and passes back what that answers: head and body, as they come. The steps
 * before it apply: `[cutAt(400), forward()]`, `[holdBack(4096), forward()]`.
 */
export function forward(): Step {
  return (answer) => {
    if (answer.upstream !== undefined) return forwardTo(answer.upstream, answer)
    throw new TestingError('no_upstream', 'forward() has nowhere to go: start the fault server with an upstream.')
  }
}

/** The last of those whose names are equal but for their case. */
function merged(...lists: readonly Readonly<Record<string, string>>[]): HeaderList {
  const byName = new Map<string, readonly [name: string, value: string]>()
  for (const pair of lists.flatMap((list) => Object.entries(list))) byName.set(pair[0].toLowerCase(), pair)
  return [...byName.values()]
}

function bytesOf(part: Sendable): Uint8Array {
  if (part instanceof Uint8Array) return part
  return Buffer.from(typeof part === 'string' ? part : encode(part))
}

function encode({ id, type, topic, retryMs, data, ...others }: EventToSend): string {
  const unknown = Object.keys(others)
  if (unknown.length > 0) {
    throw new TestingError(
      'invalid_option',
      `An event to send has no ${unknown.join(', ')}: id, type, topic, retryMs and data.`,
    )
  }
  const text = typeof data === 'string' || data === undefined ? data : JSON.stringify(data)
  return encodeEvent({ id, event: type, topic, retryMs, data: text })
}

/** Fulfilled, not rejected, when the answer is over. */
function over(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    void over(signal).then(() => {
      clearTimeout(timer)
      resolve()
    })
  })
}

function retryAfter(seconds: number, form: 'seconds' | 'date'): string {
  // A date has no parts of a second: rounded up, it never asks for less.
  return form === 'seconds' ? String(seconds) : new Date(Math.ceil(Date.now() / 1000 + seconds) * 1000).toUTCString()
}

function needCount(name: string, value: number, least: number): void {
  if (Number.isInteger(value) && value >= least) return
  throw new TestingError('invalid_option', `${name} is ${value}: give a whole number, ${least} or more.`)
}
