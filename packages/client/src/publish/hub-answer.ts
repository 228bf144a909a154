import { ClientError } from '../client-error.ts'
import { networkError } from '../stream/attempt-error.ts'
import { retryAfterMs } from '../stream/retry-after.ts'
import type { PublishedIds } from './publish-options.ts'

/** What a hub has answered to a request that publishes: the ids of what is stored, and why not more is. */
export interface HubAnswer {
  readonly ids: PublishedIds
  readonly error?: ClientError
}

/**
 * @param count how many events were sent
 * @param first the number of the first of them, when they were sent one a line; undefined for an array
 */
export function readAnswer(text: string, response: Response, count: number, first: number | undefined): HubAnswer {
  const { status, headers } = response
  if (status !== 200) return { ids: [], error: refusal(text, status, headers) }
  const answer = first === undefined ? readIds(text, count) : readLines(text, count, first)
  if (answer) return answer
  // An object that is no JSON any more was cut off on the way, where the connection's end is the end of the answer.
  if (first === undefined && text.startsWith('{') && !parse(text))
    return { ids: [], error: networkError('the answer was cut off') }
  const type = headers.get('content-type') ?? 'no content type'
  return { ids: [], error: new ClientError('content_type', `What has answered (${type}) is no hub: is the URL right?`) }
}

/** By the statuses 301, 302 and 303 a POST becomes a GET (Fetch §4.4), and a hub answers that with a stream, which has no end. */
export function askedByGet(url: string, response: Response): ClientError {
  const message = `${url} redirects to ${response.url}, which was then asked by GET: publish to that URL.`
  return new ClientError('content_type', message)
}

/** Undefined for what no hub answers. */
function readIds(text: string, count: number): HubAnswer | undefined {
  const ids = parse(text)?.['ids']
  return Array.isArray(ids) && ids.length === count ? { ids: ids as PublishedIds } : undefined
}

/** One line for each event, up to the first failure. An answer that was cut off has fewer: the rest is sent again. */
function readLines(text: string, count: number, first: number): HubAnswer | undefined {
  const lines = text.split('\n')
  const cutOff = lines.pop() ?? ''
  const ids: (string | null)[] = []
  for (const line of lines) {
    const { id = null, error } = parse(line) ?? { id: undefined, error: 'no line of a hub' }
    if (isProblem(error)) return { ids, error: lineError(error, first + ids.length) }
    if (error !== undefined || !(id === null || typeof id === 'string') || ids.length === count) return undefined
    ids.push(id)
  }
  if (ids.length === count) return { ids }
  if (cutOff !== '' && !cutOff.startsWith('{')) return undefined
  return { ids, error: networkError(`${ids.length} of ${count} lines were answered`) }
}

interface Problem {
  readonly status: number
  readonly detail: string
  /** Seconds. */
  readonly retryAfter?: unknown
}

function isProblem(error: unknown): error is Problem {
  const { status, detail } = (error ?? {}) as Partial<Record<keyof Problem, unknown>>
  return typeof status === 'number' && typeof detail === 'string'
}

/** The hub counts the lines of its request; who publishes does not know where one begins. */
function lineError({ status, detail, retryAfter }: Problem, event: number): ClientError {
  const text = JSON.stringify({ detail: detail.replace(/^Line \d+/, `Event ${event}`) })
  return refusal(text, status, new Headers(typeof retryAfter === 'number' ? { 'Retry-After': `${retryAfter}` } : {}))
}

/** The problem that the hub answers with (RFC 9457): its `detail` says what was wrong, and what to do. */
function refusal(text: string, status: number, headers: Headers): ClientError {
  // A proxy on the way may have answered, by a page.
  const detail = parse(text)?.['detail']
  const message = `The hub has answered with status ${status}.${typeof detail === 'string' ? ` ${detail}` : ''}`
  return new ClientError('status', message, { status, retryAfterMs: retryAfterMs(headers, Date.now()) })
}

/** An object's fields; undefined for all else. */
function parse(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
