// Over 300 lines: one loop makes the attempts, and what it has learned from one decides on the next.
import type { ParsedEvent } from '@millrace/protocol'
import { readEventStream } from '../attempt/read-event-stream.ts'
import { ClientError } from '../client-error.ts'
import { authorizeError, errorOf, foreignError, networkError, statusError } from './attempt-error.ts'
import { closedError, gaveUp, verdictOf, waitable, type Outcome } from './attempt-outcome.ts'
import { missedNotice, readSaid } from './control-data.ts'
import { makeCredentials } from './credentials.ts'
import type { EventFeed, FeedSink, FeedStatus, Transport } from './event-feed.ts'
import { makeAttempt, type FeedAttempt } from './feed-attempt.ts'
import { drop, eventsRequest, feedRequest, isNear, send, type Target } from './feed-request.ts'
import type { FeedSettings } from './feed-settings.ts'
import { makePause } from './pause.ts'
import { isNoPolling, polledEvent, pollOnce } from './poll-once.ts'
import { MAX_RETRY_MS } from './retry-after.ts'
import { LEAST_DELAY_MS, needsRenewal } from './retry-policy.ts'
import { makeTopicChanges } from './topic-changes.ts'
import { firstChoice, nextChoice } from './transport-choice.ts'
import { makeWatchdog } from './watchdog.ts'

/** There is probably more where so many events came from. */
const FULL_ANSWER_COUNT = 100
/** A hub breaks every silence within `heartbeatMs`; a bit more than two of them missing is no accident. */
const SILENT_HEARTBEATS = 2.5
/** What a hub's heartbeat is until it says so. Milliseconds. */
const HUB_HEARTBEAT_MS = 15_000
/** A stream that was open for this long has done its work, whether there were events or not. Milliseconds. */
const GOOD_AFTER_MS = 5_000
/** So many streams in a row may be cut off after their first bytes before that speaks against streams. */
const MAX_CUTS = 5
/** What comes later than this after the head was not sent with it. Milliseconds. */
const FLOWING_AFTER_MS = 1_000

/**
 * The events of one URL, by a stream or by polls, over whatever happens to its connections.
 *
 * One loop makes the attempts, one after the other, so there are never two at once; between two there is always a wait.
 */
export function httpFeed(settings: FeedSettings, sink: FeedSink): EventFeed {
  const { clock, time, transport, streamRetryMs, connectTimeoutMs } = settings
  const isAuto = transport === 'auto'
  const wanted = makeTopicChanges(settings.topics)
  const credentials = makeCredentials(settings.authorize)
  const pause = makePause(clock)
  const onSilent = (): void =>
    attempt?.stop(new ClientError('silent', `No byte has come for ${promisedMs()} ms and more.`))
  const watchdog = makeWatchdog(clock, onSilent, time)
  let choice = firstChoice(isAuto ? 'stream' : transport, streamRetryMs)
  let isOver = false
  /** How events come at the moment; between two polls too. */
  let openBy: Transport | undefined

  let attempt: FeedAttempt | undefined
  /** It has done what it is for: its failure is not counted with those before. */
  let isGood = false
  /** Its grant has ended before it could do much: that must not make a loop without back-off, whatever has come. */
  let isBrief = false
  /** Bytes have come after those that come at once: nothing on the way keeps them back. */
  let isFlowing = false
  /** Some byte has come. */
  let isHeard = false
  /** The topics that it asks for. */
  let asked = settings.topics
  let attempts = 0
  let failures = 0
  /** From here on there was no connection: the end of the last good one, and later by as long as others were open. */
  let goodAtMs = clock.now()
  let wasGood = false
  let lastError: ClientError | undefined

  // What the server has said about itself and about the open stream.
  let floorMs = settings.minDelayMs
  let isHub = false
  let heartbeatMs: number | undefined
  /** The open stream, by which its server can be asked to change it. */
  let connection: string | undefined
  let secret: unknown
  let isUnauthorized = false
  /** Topics to which nothing more will come. */
  const endedTopics = new Set<string>()
  let isPutting = false
  /** The last attempt was a poll: the next one needs only the state values that are new. */
  let hasState = false

  async function run(): Promise<void> {
    for (;;) {
      const idleMs = clock.now()
      await sink.ready()
      if (isOver) return
      // That nothing is asked for is nobody's failure.
      goodAtMs += clock.now() - idleMs
      attempts++
      isGood = isBrief = isFlowing = isHeard = isUnauthorized = false
      attempt = makeAttempt(clock)
      const outcome = await tryOnce(attempt)
      attempt.stop()
      attempt = connection = undefined
      pause.end()
      if (choice.transport === 'stream') openBy = undefined
      if (isOver) return
      // Else the old topics are finished, and the new ones have not been asked for yet.
      if (outcome === 'finished' && asked === wanted.topics) return finish({ name: 'ended' })
      await waitAfter(outcome)
    }
  }

  async function tryOnce({ signal, limit, until }: FeedAttempt): Promise<Outcome> {
    const { transport: by } = choice
    const isStream = by === 'stream'
    // The first poll is answered at once; one that a stream is to follow, or that confirms other topics, need not wait.
    const isQuick = !sink.resumeId() || asked !== wanted.topics || (isAuto && clock.now() >= choice.streamAtMs)
    const waitMs = by === 'long-polling' && !isQuick ? settings.pollWaitMs : 0
    // Between two polls nothing has changed for whoever looks.
    if (!openBy) sink.status({ name: 'connecting', attempt: failures + 1 })
    if (!isOver) sink.attempt({ attempt: failures + 1, transport: by, lastId: sink.resumeId() })
    // Whoever was told may have closed.
    if (isOver) return 'finished'
    const late = `has not answered within ${connectTimeoutMs} ms.`
    const endMs = clock.now() + connectTimeoutMs
    limit(connectTimeoutMs, 'authorize', `authorize ${late}`)
    try {
      await until(credentials.ask(failures + 1, signal))
      limit(endMs + waitMs - clock.now(), 'timeout', `The server ${late}`)
      const next = wanted.asked(isStream)
      // Topics that are new may have values that are older than the id.
      if (String(next) !== String(asked)) hasState = false
      asked = next
      return await (isStream ? stream() : poll(waitMs))
    } catch (cause) {
      if (signal.aborted) return signal.reason as Outcome
      // Else no request can be made with what it has given.
      const failure = cause instanceof ClientError ? cause : authorizeError(cause)
      const error =
        failure.code === 'network' && !wasGood && !isNear(settings, credentials.access)
          ? foreignError(failure)
          : failure
      // Who wants polls and nothing else is told what the server says to them.
      return !isStream && isAuto && !choice.canPoll && isNoPolling(error, lastError) ? 'no_polling' : error
    }
  }

  async function stream(): Promise<Outcome> {
    const { signal, limit } = attempt!
    let id = sink.resumeId()
    let openedAtMs = Infinity
    let refused: ClientError | undefined
    hasState = false
    const end = await readEventStream(
      { ...request(), lastEventId: id, signal, limits: settings.limits },
      {
        onOpen({ headers }) {
          openedAtMs = clock.now()
          isHub ||= headers.has('millrace-connection')
          if (!isHub) return flow()
          // Its beginning is due at once.
          heartbeatMs ??= HUB_HEARTBEAT_MS
          const { streamTimeoutMs } = settings
          if (isAuto && openedAtMs >= choice.pollAtMs)
            limit(streamTimeoutMs, 'held_back', `The stream has not begun within ${streamTimeoutMs} ms.`)
        },
        async onRefused(response) {
          refused = await refusal(response)
        },
        onBytes() {
          isHeard = true
          isFlowing ||= clock.now() - openedAtMs >= FLOWING_AFTER_MS
          watchdog.hear()
        },
        onRetry: (retryMs) => void (floorMs = Math.min(MAX_RETRY_MS, retryMs)),
        onId: (newId) => void (id = newId),
        onEvent,
        beforeRead() {
          sink.moved(id)
          const wait = sink.ready()
          // What is not read cannot be heard.
          watchdog.watch(!wait && (settings.silenceMs ?? (Number(heartbeatMs) * SILENT_HEARTBEATS || false)))
          return wait
        },
      },
    )
    watchdog.watch(false)
    const openMs = clock.now() - openedAtMs
    const isLong = openMs >= GOOD_AFTER_MS
    if (openBy === 'stream') goodAtMs += openMs
    isGood ||= isLong
    isBrief = isUnauthorized && !isLong
    if (end.kind === 'status' ? end.status === 204 : end.kind === 'ended' && isFinished()) return 'finished'
    if (isUnauthorized) return new ClientError('unauthorized', 'The grant has ended.')
    throw end.kind === 'status' ? refused! : errorOf(end)
  }

  async function poll(waitMs: number): Promise<Outcome> {
    const id = sink.resumeId()
    const startMs = clock.now()
    const query = {
      wait: String(waitMs / 1000),
      ...(id && { last_event_id: id }),
      ...(!hasState && { state: 'all' }),
    }
    const answer = await pollOnce(attempt!, request(query), refusal)
    if (!answer) return 'finished'
    hasState = isGood = isHub = true
    flow()
    const { events, cursor, reset } = answer
    if (reset) sink.missed(missedNotice(reset, id), undefined)
    for (const event of events) {
      if (isOver) break
      const polled = polledEvent(event, sink.resumeId())
      onEvent(polled)
      // Of an event that is kept from this client nothing else is said.
      const isSaid = polled.type === 'stream:end'
      if (event.end && !isSaid) onEvent({ ...polled, type: 'stream:end', data: JSON.stringify({ topic: event.topic }) })
    }
    sink.moved(cursor)
    const isDue = waitMs
      ? events.length > 0 || clock.now() - startMs > waitMs / 2
      : cursor && (!id || choice.transport === 'long-polling' || events.length >= FULL_ANSWER_COUNT)
    return isDue ? LEAST_DELAY_MS : settings.pollIntervalMs * (1 + settings.fraction() / 10)
  }

  function request(pollQuery?: Readonly<Record<string, string>>): Target {
    return eventsRequest(settings, credentials.access, { topics: asked, isHub, pollQuery })
  }

  /** What the server says when it refuses. Its answer has come in time; what it says has a time of its own. */
  function refusal(response: Response): Promise<ClientError> {
    const { signal, limit } = attempt!
    limit(false)
    return statusError(response, clock, signal, time())
  }

  /** The longest silence that the server means to keep. Milliseconds; 0 when it has promised nothing. */
  function promisedMs(): number {
    return (settings.silenceMs ?? heartbeatMs) || 0
  }

  /** Events can come. */
  function flow(): void {
    attempt?.limit(false)
    if (openBy !== choice.transport) sink.status({ name: 'open', transport: (openBy = choice.transport) })
    if (isOver) return
    if (asked === wanted.topics) wanted.confirm(wanted.revision)
    else void putTopics()
  }

  function onEvent({ type, data, topic = '', lastEventId: id }: ParsedEvent): void {
    if (type.startsWith('stream:')) {
      const said = readSaid(data)
      switch (type) {
        case 'stream:sync-required':
          return sink.missed(missedNotice(said, sink.resumeId()), id)
        case 'stream:connected':
          isHub = true
          connection = String(said['connection'])
          secret = said['secret']
          heartbeatMs = Math.max(0, Number(said['heartbeatMs'])) || heartbeatMs
          sink.moved(id)
          return flow()
        case 'stream:position':
          return sink.moved(id)
        case 'stream:topics':
          wanted.confirm(Number(said['revision']))
          asked = wanted.topics
          break
        case 'stream:end':
          endedTopics.add(String(said['topic']))
          break
        case 'stream:shutdown':
        case 'stream:reconnect':
          // It ends for another reason, and a topic may be open again of which nothing was to be sent.
          endedTopics.clear()
          break
        case 'stream:unauthorized':
          isUnauthorized = true
          break
        case 'stream:expiring':
          void renew()
      }
    } else {
      endedTopics.delete(topic)
      isGood = true
    }
    sink.event({ type, data, topic, id })
  }

  /** Whether a stream that ends is finished, and not cut off. */
  function isFinished(): boolean {
    return wanted.topics.length > 0 && wanted.topics.every((topic) => endedTopics.has(topic))
  }

  /** Waits for the time of the next attempt, or gives up. */
  async function waitAfter(outcome: Outcome): Promise<void> {
    const nowMs = clock.now()
    const error = outcome instanceof ClientError ? outcome : undefined
    if (isGood) {
      wasGood = true
      credentials.accept()
    }
    if (isGood && !isBrief) {
      goodAtMs = nowMs
      failures = 0
    } else if (error) failures++
    if (isAuto)
      choice = nextChoice(
        choice,
        verdictOf(outcome, isGood, isFlowing, isHeard && failures < MAX_CUTS, !wasGood),
        nowMs,
        streamRetryMs,
      )
    if (!error) {
      // New topics that no stream could be changed to begin with what comes next.
      wanted.owed = 0
      return pause.wait(typeof outcome === 'number' ? outcome : LEAST_DELAY_MS, LEAST_DELAY_MS)
    }
    lastError = error
    const decision = settings.policy(error, {
      failures,
      failingMs: nowMs - goodAtMs,
      floorMs,
      wasGood,
      canRenew: credentials.canRenew,
    })
    // It may be the user's own, who may close.
    if (isOver) return
    if (needsRenewal(error)) credentials.refuse()
    if ('giveUp' in decision) {
      // If there are new topics, it is those that are refused: back to the old ones.
      if (wanted.refuse(error)) return pause.wait(LEAST_DELAY_MS, LEAST_DELAY_MS)
      return finish({ name: 'failed', error: gaveUp(error, decision.giveUp) })
    }
    const delayMs = waitable(decision.delayMs)
    openBy = undefined
    sink.status({ name: 'waiting', attempt: failures + 1, delayMs, atMs: time() + delayMs, error })
    if (!isOver) await pause.wait(delayMs, waitable(decision.soonestMs))
  }

  /** Asks the server to send by other topics on the open stream; where it cannot, the next one asks for them. */
  async function putTopics(): Promise<void> {
    const current = attempt
    if (isPutting || !current) return
    isPutting = true
    const { topics, revision } = wanted
    const from = wanted.owed ? 'snapshot' : undefined
    const error = await ask('PUT', 'topics', { topics, revision, from }, current)
    const { status = 500, retryAfterMs } = error ?? {}
    const stayAwayMs = status === 429 ? retryAfterMs || floorMs || LEAST_DELAY_MS : status >= 500 && retryAfterMs
    if (stayAwayMs && attempt === current) {
      const delayMs = waitable(stayAwayMs * (1 + settings.fraction() / 10))
      await pause.wait(delayMs, delayMs)
    }
    isPutting = false
    // The stream has ended meanwhile: the next one asks for the newest topics anyway.
    if (attempt !== current) return
    if (error && !stayAwayMs) {
      if (status >= 500 || [404, 405, 409].includes(status)) return current.stop('restart')
      wanted.refuse(error, revision)
    }
    // Others may have come meanwhile.
    if (stayAwayMs || wanted.revision > revision) void putTopics()
  }

  /** The grant is about to end: brings a new one, so that the stream need not. */
  async function renew(): Promise<void> {
    const current = attempt
    if (!current || !settings.authorize) return
    credentials.refuse()
    try {
      await current.until(credentials.ask(failures + 1, current.signal))
      credentials.accept()
      await ask('POST', 'authorization', {}, current)
    } catch {
      // The stream will end, and its successor asks again.
    }
  }

  /** Asks for something to be done to the open stream. Why it is not, or undefined when it is. */
  async function ask(
    method: string,
    what: string,
    body: object,
    { signal }: FeedAttempt,
  ): Promise<ClientError | undefined> {
    if (!connection || signal.aborted) return networkError('no connection')
    const path = `/${connection}/${what}`
    const call = makeAttempt(clock)
    call.limit(connectTimeoutMs)
    signal.addEventListener('abort', () => call.stop(), call)
    try {
      const target = feedRequest(settings, credentials.access, { path, method, body: { ...body, secret } })
      const response = await call.until(send(target, call.signal))
      if (!response.ok) return await statusError(response, clock, call.signal, time())
      drop(response)
      return undefined
    } catch (cause) {
      return networkError(cause)
    } finally {
      call.stop()
    }
  }

  function finish(status: FeedStatus): void {
    if (isOver) return
    isOver = true
    attempt?.stop()
    pause.end()
    sink.status(status)
    wanted.refuse(closedError())
  }

  return {
    open: () => void run(),
    setTopics(topics, from) {
      // What nobody has listened to may be open again.
      for (const topic of endedTopics) if (!wanted.topics.includes(topic)) endedTopics.delete(topic)
      const done = wanted.change(topics, from)
      if (isOver) wanted.refuse(closedError())
      else if (openBy === 'stream') void putTopics()
      // What only an open stream can do waits until it is.
      else if (!wanted.owed || choice.transport !== 'stream') attempt?.stop('restart')
      return done
    },
    wake() {
      pause.hurry()
      watchdog.doubt(promisedMs())
    },
    close: () => finish({ name: 'closed' }),
    diagnostics: () => ({
      url: settings.url,
      transport: choice.transport,
      attempts,
      failures,
      lastError,
      connection,
      heartbeatMs,
      floorMs,
      topics: wanted.topics,
    }),
  }
}
