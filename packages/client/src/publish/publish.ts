import { isEventStream } from '../attempt/content-type.ts'
import { ClientError } from '../client-error.ts'
import { networkError } from '../stream/attempt-error.ts'
import { makeAttempt } from '../stream/feed-attempt.ts'
import { drop } from '../stream/feed-request.ts'
import { makePause } from '../stream/pause.ts'
import { retryPolicy } from '../stream/retry-policy.ts'
import { encodeEvents, fitOneArray, linesOfOneRequest, type EncodedEvent } from './encoded-events.ts'
import { askedByGet, readAnswer, type HubAnswer } from './hub-answer.ts'
import { resolvePublishOptions } from './publish-options.ts'
import type { OutgoingEvent, PublishedIds, PublishOptions, PublishSettings } from './publish-options.ts'

/** Milliseconds. */
const MIN_DELAY_MS = 500

/**
 * Publishes events to a hub, and answers when they are stored as its backend promises.
 *
 * What may pass is tried again with back-off: a connection that fails, 408, 425, 429 and 5xx, `Retry-After` obeyed. With a
 * `dedupeKey` on each event, which `dedupe` sees to, an attempt whose answer was lost is not published twice. A refusal is
 * final.
 *
 * Up to 100 events that are no larger than 1 MiB together go in one request, and are stored all or none. More go in as many
 * as it takes, each of 1 MiB and 10,000 events at most, and are stored in their order: of those, what comes before a failure
 * is stored, and `published` of the error has its ids.
 *
 * ```ts
 * const [id] = await publish('https://hub.example/events', { topic: 'news', data: { title } }, { token })
 * ```
 *
 * @throws ClientError `status` with the `detail` of the problem, `network`, `timeout`, `content_type` when it is no hub that
 * answers, `closed` when the signal was aborted, or `invalid_option` before anything is sent.
 */
export async function publish(
  url: string | URL,
  events: OutgoingEvent | readonly OutgoingEvent[],
  options: PublishOptions = {},
): Promise<PublishedIds> {
  const settings = resolvePublishOptions(url, options)
  if (settings.signal?.aborted) throw closed()
  const all = encodeEvents([events].flat(), settings.dedupe)
  const isArray = fitOneArray(all)
  const ids: (string | null)[] = []
  let failures = 0
  while (ids.length < all.length) {
    const part = isArray ? all : linesOfOneRequest(all, ids.length)
    const answer = await send(part, isArray ? undefined : ids.length, settings)
    ids.push(...answer.ids)
    failures = answer.ids.length > 0 ? 0 : failures
    if (answer.error) await waitOrThrow(answer.error, part, { failures: ++failures, ids }, settings)
  }
  return ids
}

/** @param first the number of the first event, when they go one a line; undefined for an array */
async function send(
  events: readonly EncodedEvent[],
  first: number | undefined,
  { url, headers, credentials, timeoutMs, signal, fetch, clock }: PublishSettings,
): Promise<HubAnswer> {
  const type = first === undefined ? 'application/json' : 'application/x-ndjson'
  const texts = events.map(({ json }) => json)
  const body = first === undefined ? `[${texts.join()}]` : `${texts.join('\n')}\n`
  const attempt = makeAttempt(clock)
  const onAbort = (): void => attempt.stop(closed())
  signal?.addEventListener('abort', onAbort)
  attempt.limit(timeoutMs, 'timeout', `The hub has not answered within ${timeoutMs} ms.`)
  try {
    const own = { ...Object.fromEntries(headers), 'content-type': type }
    const init = { method: 'POST', headers: own, credentials, body, signal: attempt.signal }
    const response = await attempt.until(fetch(url, init))
    if (response.redirected && isEventStream(response.headers.get('content-type'))) {
      drop(response)
      return { ids: [], error: askedByGet(url, response) }
    }
    return readAnswer(await attempt.until(response.text()), response, events.length, first)
  } catch (error) {
    const { reason } = attempt.signal as { reason: unknown }
    return { ids: [], error: reason instanceof ClientError ? reason : networkError(error) }
  } finally {
    attempt.stop()
    signal?.removeEventListener('abort', onAbort)
  }
}

async function waitOrThrow(
  error: ClientError,
  events: readonly EncodedEvent[],
  { failures, ids }: { failures: number; ids: PublishedIds },
  { maxAttempts, maxBackoffMs, clock, fraction, signal }: PublishSettings,
): Promise<void> {
  const isSafe = error.status === 429 || events.every(({ hasKey }) => hasKey)
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

function withIds(error: ClientError, published: PublishedIds): ClientError {
  const { code, message, status, retryAfterMs: waitMs, cause } = error
  return new ClientError(code, message, { status, retryAfterMs: waitMs, cause, published })
}

function closed(): ClientError {
  return new ClientError('closed', 'Publishing was ended by its signal.')
}
