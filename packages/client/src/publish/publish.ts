import { ClientError } from '../client-error.ts'
import { systemClock } from '../clock.ts'
import { networkError } from '../stream/attempt-error.ts'
import { makeAttempt } from '../stream/feed-attempt.ts'
import { makePause } from '../stream/pause.ts'
import { retryAfterMs } from '../stream/retry-after.ts'
import { retryPolicy } from '../stream/retry-policy.ts'
import type { OutgoingEvent, PublishedIds, PublishOptions } from './publish-options.ts'

/** As many go as one array, of which all are stored or none; more go one a line, and are stored in groups. */
export const MAX_ATOMIC_EVENTS = 100
/** The most lines that a hub takes in one request. */
const MAX_LINES = 10_000
/** Milliseconds. */
const MIN_DELAY_MS = 500

/**
 * Publishes events to a hub, and answers when they are stored as its backend promises.
 *
 * What may pass is tried again with back-off: a connection that fails, 408, 425, 429 and 5xx, `Retry-After` obeyed. With a
 * `dedupeKey` on each event, which `dedupe` sees to, an attempt whose answer was lost is not published twice. A refusal is
 * final.
 *
 * Up to 100 events are stored all or none. Of more, those before a failure are stored; `published` of the error has their ids.
 *
 * ```ts
 * const [id] = await publish('https://hub.example/events', { topic: 'news', data: { title } }, { token })
 * ```
 *
 * @throws ClientError `status` with the `detail` of the problem, `network`, `timeout`, or `closed` when the signal was aborted.
 */
export async function publish(
  url: string | URL,
  events: OutgoingEvent | readonly OutgoingEvent[],
  options: PublishOptions = {},
): Promise<PublishedIds> {
  const all = [events].flat().map((event) => (options.dedupe === false ? event : withKey(event)))
  const byLine = all.length > MAX_ATOMIC_EVENTS
  const ids: (string | null)[] = []
  let failures = 0
  while (ids.length < all.length) {
    const part = all.slice(ids.length, ids.length + MAX_LINES)
    const answer = await send(url, part, byLine, options)
    ids.push(...answer.ids)
    failures = answer.ids.length > 0 ? 0 : failures
    if (answer.error) await waitOrThrow(answer.error, part, { failures: ++failures, ids }, options)
  }
  return ids
}

interface Answer {
  readonly ids: PublishedIds
  readonly error?: ClientError
}

async function send(
  url: string | URL,
  events: readonly OutgoingEvent[],
  byLine: boolean,
  { token, headers: own, credentials = 'same-origin', timeoutMs = 30_000, signal, ...options }: PublishOptions,
): Promise<Answer> {
  const headers = new Headers(own)
  headers.set('Content-Type', byLine ? 'application/x-ndjson' : 'application/json')
  if (token !== undefined) headers.set('Authorization', `Bearer ${token}`)
  const body = byLine ? events.map((event) => `${JSON.stringify(event)}\n`).join('') : JSON.stringify(events)
  const attempt = makeAttempt(options.clock ?? systemClock)
  const onAbort = (): void => attempt.stop(closed())
  signal?.addEventListener('abort', onAbort)
  attempt.limit(timeoutMs, 'timeout', `The hub has not answered within ${timeoutMs} ms.`)
  if (signal?.aborted) onAbort()
  try {
    const init = { method: 'POST', headers: Object.fromEntries(headers), credentials, body, signal: attempt.signal }
    const response = await attempt.until((options.fetch ?? fetch)(String(url), init))
    const text = await attempt.until(response.text())
    if (response.status !== 200) return { ids: [], error: refusal(text, response.status, response.headers) }
    return byLine ? readLines(text, events.length) : readIds(text, events.length)
  } catch (error) {
    const { reason } = attempt.signal as { reason: unknown }
    return { ids: [], error: reason instanceof ClientError ? reason : networkError(error) }
  } finally {
    attempt.stop()
    signal?.removeEventListener('abort', onAbort)
  }
}

function readIds(text: string, count: number): Answer {
  const { ids } = JSON.parse(text) as { ids?: PublishedIds }
  if (ids?.length !== count) throw new TypeError('the answer has not one id for each event')
  return { ids }
}

/** One line for each event, up to the first failure. An answer that was cut off has fewer: the rest is sent again. */
function readLines(text: string, count: number): Answer {
  const ids: (string | null)[] = []
  for (const line of text.split('\n').slice(0, -1)) {
    const { id = null, error } = JSON.parse(line) as { id?: string | null; error?: { status: number } }
    if (error) return { ids, error: refusal(JSON.stringify(error), error.status, new Headers()) }
    ids.push(id)
  }
  return ids.length === count ? { ids } : { ids, error: networkError(`${ids.length} of ${count} lines were answered`) }
}

async function waitOrThrow(
  error: ClientError,
  events: readonly OutgoingEvent[],
  { failures, ids }: { failures: number; ids: PublishedIds },
  { maxAttempts = 6, maxBackoffMs = 10_000, clock = systemClock, fraction = Math.random, signal }: PublishOptions,
): Promise<void> {
  const isSafe = error.status === 429 || events.every(({ dedupeKey }) => dedupeKey !== undefined)
  const policy = retryPolicy({ maxBackoffMs, maxAttempts, giveUpAfterMs: false }, fraction)
  const state = { failures, failingMs: 0, floorMs: MIN_DELAY_MS, wasGood: false, canRenew: false }
  const decision = policy(error, state)
  if (!isSafe || error.code === 'closed' || 'giveUp' in decision) throw withIds(error, ids)
  const pause = makePause(clock)
  const onAbort = (): void => pause.end()
  signal?.addEventListener('abort', onAbort)
  await pause.wait(decision.delayMs, decision.delayMs)
  signal?.removeEventListener('abort', onAbort)
  if (signal?.aborted) throw withIds(closed(), ids)
}

function withKey(event: OutgoingEvent): OutgoingEvent {
  if (event.dedupeKey !== undefined || event.ephemeral) return event
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return { ...event, dedupeKey: Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('') }
}

/** The problem that the hub answers with (RFC 9457): its `detail` says what was wrong, and what to do. */
function refusal(text: string, status: number, headers: Headers): ClientError {
  let detail = ''
  try {
    detail = (JSON.parse(text) as { detail?: string }).detail ?? ''
  } catch {
    // A proxy on the way has answered, by a page.
  }
  const message = `The hub has answered with status ${status}. ${detail}`.trim()
  return new ClientError('status', message, { status, retryAfterMs: retryAfterMs(headers, Date.now()) })
}

function withIds(error: ClientError, published: PublishedIds): ClientError {
  const { code, message, status, retryAfterMs: waitMs, cause } = error
  return new ClientError(code, message, { status, retryAfterMs: waitMs, cause, published })
}

function closed(): ClientError {
  return new ClientError('closed', 'Publishing was ended by its signal.')
}
