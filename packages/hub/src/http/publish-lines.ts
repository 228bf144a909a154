import { problem, type NodeHub, type Problem } from '@millrace/node'
import { HubError, type HubErrorCode, type PublishEvent } from '@millrace/server'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { LINGER_MS } from './answer-unread.ts'
import { BodyReader } from './body-reader.ts'
import type { HubCounts, PublishFailure } from '../observe/hub-counts.ts'
import { fixedLimits } from './fixed-limits.ts'
import { LineSplitter, type Lines } from './line-splitter.ts'
import { problemOf, publishFailureOf, type OnError, RequestFault } from './problem-answers.ts'
import { readEvent, readJson } from './read-event.ts'

const { maxLines: MAX_LINES, maxLinesBytes: MAX_LINES_BYTES } = fixedLimits
/** JSON may write a character of an event in six bytes. */
const JSON_FACTOR = 6
const LINE_OVERHEAD_BYTES = 1_024

export interface PublishLinesOptions {
  readonly onError: OnError
  /** Where is counted what is not stored. */
  readonly counts: Pick<HubCounts, 'onNotPublished'>
  /** A publisher that finishes no line for this long is told so, and its request ends. Milliseconds. */
  readonly lineTimeoutMs: number
  /** Aborted when the hub closes: lines that have not come are not waited for. */
  readonly closing: AbortSignal
  /** Requests that have a time limit of their own are taken out of Node's. */
  readonly paced: WeakSet<object>
}

interface NumberedEvent {
  readonly line: number
  readonly event: PublishEvent
}

/** What ends a request before its body does. */
interface LineProblem {
  /** Undefined for what is not about a line. */
  readonly line: number | undefined
  readonly fault: Problem
  /** What to count: events that are not stored, or not known to be, and why. Undefined when there is none. */
  readonly failed?: { readonly why: PublishFailure; readonly count: number }
}

/**
 * `POST /events` as `application/x-ndjson`: one event a line. What has arrived is stored as one group, and answered line
 * by line when it is; only then more is read, so that a publisher that is faster than the log waits in its socket. The
 * first failure is answered and ends it; nothing behind it is stored.
 *
 * The answers of one request are few enough to be kept until they are read: a client that reads none before it has sent
 * everything still gets through.
 */
export async function publishLines(
  hub: NodeHub,
  request: IncomingMessage,
  response: ServerResponse,
  { onError, counts, lineTimeoutMs, closing, paced }: PublishLinesOptions,
): Promise<void> {
  const { socket } = request
  paced.add(socket)
  response.on('error', () => undefined)
  const answers = new Answers(response)
  const judge = (error: unknown): Problem => problemOf(error, onError, 'POST /events, one event a line')
  const failure = await publishBody(hub, new BodyReader(request, lineTimeoutMs, closing), answers, judge)
  paced.delete(socket)
  if (failure === 'gone') return
  if (failure?.failed) counts.onNotPublished(failure.failed.why, failure.failed.count)
  if (failure) answers.fail(failure)
  answers.end()
  endSoon(request, response, lineTimeoutMs)
}

type Judge = (error: unknown) => Problem

async function publishBody(
  hub: NodeHub,
  body: BodyReader,
  answers: Answers,
  judge: Judge,
): Promise<LineProblem | 'gone' | undefined> {
  const splitter = new LineSplitter(hub.limits.maxEventBytes * JSON_FACTOR + LINE_OVERHEAD_BYTES)
  let bytes = 0
  let count = 0
  for (;;) {
    const part = await body.read()
    if (part === 'gone') return 'gone'
    if (part === 'late') return { line: undefined, fault: lateFault() }
    if (part === 'unwanted') return { line: undefined, fault: closingFault() }
    if (part !== 'whole') bytes += part.length
    const lines = part === 'whole' ? splitter.end() : splitter.push(part)
    const { events, failure } = readLines(lines, count)
    count += events.length
    const refused = await publishGroup(hub, events, answers, judge)
    if (refused ?? failure) return refused ?? failure
    if (lines.texts.length > 0) body.restart()
    else if (part !== 'whole' && body.isLate) return { line: undefined, fault: lateFault() }
    if (bytes > MAX_LINES_BYTES) return { line: undefined, fault: tooLargeFault() }
    if (part === 'whole') return undefined
  }
}

function readLines(
  { first, texts, fault }: Lines,
  count: number,
): { readonly events: readonly NumberedEvent[]; readonly failure?: LineProblem } {
  const events: NumberedEvent[] = []
  for (const [i, text] of texts.entries()) {
    const line = first + i
    if (isBlank(text)) continue
    if (count + events.length === MAX_LINES) return { events, failure: unread(line, tooManyFault()) }
    try {
      const which = `Line ${line}`
      events.push({ line, event: readEvent(readJson(text, which), which) })
    } catch (error) {
      if (!(error instanceof RequestFault)) throw error
      return { events, failure: unread(line, error.problem) }
    }
  }
  if (!fault) return { events }
  return { events, failure: unread(first + texts.length, problem(fault.status, fault.message)) }
}

function isBlank(text: string): boolean {
  return text === '' || text === '\r' || text.trim() === ''
}

/** What the hub says of a group of which nothing is stored for sure, because one of its events cannot be. */
const REFUSALS: readonly HubErrorCode[] = ['invalid_event', 'too_large', 'too_many']

/** Stores events as one group; when one of them is refused, those before it all the same: by halves, until it is found. */
async function publishGroup(
  hub: NodeHub,
  group: readonly NumberedEvent[],
  answers: Answers,
  judge: Judge,
): Promise<LineProblem | undefined> {
  const [first] = group
  if (!first) return undefined
  try {
    const { ids } = await hub.publish(group.map(({ event }) => event))
    answers.add(ids)
    return undefined
  } catch (error) {
    const isRefused = error instanceof HubError && REFUSALS.includes(error.code)
    const failed = { why: publishFailureOf(error), count: group.length }
    if (!isRefused || group.length === 1) return { line: first.line, fault: named(first.line, judge(error)), failed }
  }
  const middle = Math.ceil(group.length / 2)
  return (
    (await publishGroup(hub, group.slice(0, middle), answers, judge)) ??
    (await publishGroup(hub, group.slice(middle), answers, judge))
  )
}

/** A line that is no event, or one too many. */
function unread(line: number, fault: Problem): LineProblem {
  return { line, fault, failed: { why: fault.status === 413 ? 'too_large' : 'invalid', count: 1 } }
}

function named(line: number, fault: Problem): Problem {
  return { ...fault, detail: `Line ${line}: ${fault.detail}` }
}

function lateFault(): Problem {
  return problem(408, 'No line has come for too long. Start a new request when there is something to publish.')
}

function closingFault(): Problem {
  const headers = { 'Retry-After': '1' }
  return problem(503, 'The hub is closing. Go on behind the last line that was answered, in a new request.', headers)
}

function tooLargeFault(): Problem {
  return problem(413, `The body is larger than ${MAX_LINES_BYTES / 1024 / 1024} MiB. Go on in a new request.`)
}

function tooManyFault(): Problem {
  return problem(413, `One request may have ${MAX_LINES} events. Go on with this line in a new request.`)
}

/** The answers to lines, in their order. The head goes out with the first of them. */
class Answers {
  readonly #response: ServerResponse

  constructor(response: ServerResponse) {
    this.#response = response
  }

  add(ids: readonly (string | null)[]): void {
    this.#write(ids.map((id) => (id === null ? '{"id":null}\n' : `{"id":"${id}"}\n`)).join(''))
  }

  fail({ line, fault: { status, title, detail, headers } }: LineProblem): void {
    const seconds = headers?.['Retry-After']
    const retryAfter = seconds === undefined ? undefined : Number(seconds)
    this.#write(`${JSON.stringify({ error: { type: 'about:blank', title, status, detail, line, retryAfter } })}\n`)
  }

  end(): void {
    this.#begin()
    this.#response.end()
  }

  #write(text: string): void {
    this.#begin()
    this.#response.write(text)
  }

  #begin(): void {
    if (this.#response.headersSent) return
    this.#response.writeHead(200, { 'Content-Type': 'application/x-ndjson', 'Cache-Control': 'no-store' })
  }
}

/**
 * What is left of a request that was ended is read for a while, since a connection that is closed with unread bytes is
 * reset, and the reset can overtake the answer (RFC 9112, 9.6). A client that does not take its answers is cut off too.
 */
function endSoon(request: IncomingMessage, response: ServerResponse, patienceMs: number): void {
  const isOver = (): boolean => request.complete && response.writableFinished
  if (isOver()) return
  const cut = (): void => {
    if (!isOver()) request.socket.destroy()
  }
  const timer = setTimeout(cut, request.complete ? patienceMs : LINGER_MS)
  response.once('close', () => clearTimeout(timer))
  request.resume()
}
