import type { ReconnectReason, SyncReason } from '@millrace/protocol'
import type {
  HubObserver,
  HubStats,
  NewEvent,
  PassEnd,
  PollOutcome,
  ReplayEnd,
  SlowCause,
  Subscriber,
} from '@millrace/server'
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { HubCounts } from './hub-counts.ts'
import * as labels from './metric-labels.ts'

/** What the metrics ask the hub when they are read. */
export interface MeasuredHub {
  subscribers(): Iterable<Subscriber>
  stats(): HubStats
}

const FAST_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]
const REPLAY_SECONDS = [0.001, 0.01, 0.1, 0.5, 1, 5, 10, 30, 60, 300]
const BATCH_EVENTS = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 5_000, 10_000]

/**
 * Counts what happens in a hub, for Prometheus. No label takes its values from clients: of each there are as many as the
 * hub has names for.
 */
export class HubMetrics implements HubObserver {
  readonly #registry = new Registry()
  readonly #opened = this.#labelled(
    'millrace_connections_opened_total',
    'Streams opened.',
    'protocol',
    labels.PROTOCOLS,
  )
  readonly #closed = this.#labelled(
    'millrace_connections_closed_total',
    'Streams ended, by why.',
    'reason',
    labels.CLOSED_REASONS,
  )
  readonly #refused = this.#labelled(
    'millrace_connections_refused_total',
    'Streams refused for a while.',
    'reason',
    labels.REFUSED_REASONS,
  )
  readonly #slow = this.#labelled(
    'millrace_slow_total',
    'Times that a stream fell behind.',
    'cause',
    labels.SLOW_CAUSES,
  )
  readonly #polls = this.#labelled('millrace_polls_total', 'Polls answered, by how.', 'outcome', labels.POLL_OUTCOMES)
  readonly #polledEvents = this.#counter('millrace_polled_events_total', 'Events answered to polls.')
  readonly #gaps = this.#labelled(
    'millrace_gaps_total',
    'Gaps told to clients (stream:sync-required).',
    'reason',
    labels.GAP_REASONS,
  )
  readonly #replays = this.#labelled(
    'millrace_replays_total',
    'Streams that caught up, by why they had to.',
    'why',
    labels.REPLAY_WHYS,
  )
  readonly #replayedEvents = this.#counter('millrace_replayed_events_total', 'Events written to streams catching up.')
  readonly #resumes = this.#labelled(
    'millrace_hot_window_total',
    'Streams that caught up from the hot window alone, or needed the log.',
    'result',
    labels.WINDOW_RESULTS,
  )
  readonly #replaySeconds = this.#histogram('millrace_replay_seconds', 'How long catching up took.', REPLAY_SECONDS)
  readonly #flushSeconds = this.#histogram('millrace_flush_seconds', 'How long a pass over the live streams took.')
  readonly #lagSeconds = this.#histogram(
    'millrace_delivery_lag_seconds',
    'From the arrival of the oldest event of a pass until all live streams were written to.',
  )
  readonly #appendSeconds = this.#histogram('millrace_log_append_seconds', 'How long the log took to store events.')
  readonly #appendEvents = this.#histogram('millrace_log_append_events', 'Events of one append.', BATCH_EVENTS)

  /** `hub` is asked only when the metrics are read. */
  constructor(hub: () => MeasuredHub, counts: HubCounts) {
    collectDefaultMetrics({ register: this.#registry })
    this.#gauge('millrace_connections', 'Open streams.', ['state', 'protocol'], (gauge) => {
      gauge.reset()
      for (const state of labels.OPEN_STATES) for (const protocol of labels.PROTOCOLS) gauge.set({ state, protocol }, 0)
      for (const { state, protocol } of hub().subscribers()) gauge.inc({ state: state.name, protocol })
    })
    this.#sum('millrace_events_published_total', 'Events stored.', () => counts.published)
    this.#sum('millrace_published_bytes_total', 'Bytes of data stored, as UTF-8.', () => counts.publishedBytes)
    this.#sumBy(
      'millrace_publish_failures_total',
      'Posted events that were not stored.',
      'code',
      () => counts.publishFailures,
    )
    this.#sum('millrace_events_delivered_total', 'Events written to streams.', () => counts.delivered(hub()).events)
    this.#sum('millrace_sent_bytes_total', 'Bytes of event streams written.', () => counts.delivered(hub()).bytes)
    const now = (name: string, help: string, read: (stats: HubStats) => number): void => {
      this.#gauge(name, help, [], (gauge) => gauge.set(read(hub().stats())))
    }
    now('millrace_audiences', 'Different sets of topics and filters among the streams.', (stats) => stats.audiences)
    now('millrace_hot_window_events', 'Recent events held in memory.', (stats) => stats.hotWindowCount)
    now('millrace_hot_window_bytes', 'Bytes of recent events held in memory.', (stats) => stats.hotWindowBytes)
    now('millrace_pending_reads', 'Reads of the log under way or waiting.', (stats) => stats.pendingReads)
    now('millrace_lag_seconds', 'Age of the oldest event that is not delivered.', (stats) => stats.lagMs / 1000)
    now('millrace_log_following', '1 while the event log is followed.', (stats) => Number(stats.isFollowing))
  }

  get contentType(): string {
    return this.#registry.contentType
  }

  /** All metrics in the text format of Prometheus. */
  text(): Promise<string> {
    return this.#registry.metrics()
  }

  onOpened({ protocol }: Subscriber): void {
    this.#opened.inc(protocol)
  }

  onRefused(reason: ReconnectReason): void {
    this.#refused.inc(reason)
  }

  onSlow(_: Subscriber, cause: SlowCause): void {
    this.#slow.inc(cause)
  }

  onCaughtUp({ request }: Subscriber, { why, replayed, source, durationMs }: ReplayEnd): void {
    const isNew = why === 'start' && !request.lastEventId && request.from === 'now'
    this.#replays.inc(isNew ? 'values' : why)
    this.#replayedEvents.inc(replayed)
    this.#replaySeconds.observe(durationMs / 1000)
    // A new stream has no past to find anywhere.
    if (!isNew) this.#resumes.inc(source === 'window' ? 'hit' : 'miss')
  }

  onGap(_: Subscriber, reason: SyncReason): void {
    this.#gaps.inc(reason)
  }

  onClosed({ state }: Subscriber): void {
    this.#closed.inc('reason' in state ? state.reason : 'client')
  }

  onPolled(outcome: PollOutcome, events: number): void {
    this.#polls.inc(outcome)
    this.#polledEvents.inc(events)
  }

  onPass({ durationMs, lagMs }: PassEnd): void {
    this.#flushSeconds.observe(durationMs / 1000)
    this.#lagSeconds.observe(lagMs / 1000)
  }

  onAppended(events: readonly NewEvent[], durationMs: number): void {
    this.#appendEvents.observe(events.length)
    this.#appendSeconds.observe(durationMs / 1000)
  }

  #labelled<Value extends string>(
    name: string,
    help: string,
    label: string,
    values: readonly Value[],
  ): { inc(value: Value): void } {
    const counter: Counter = new Counter({ name, help, labelNames: [label], registers: [this.#registry] })
    for (const value of values) counter.inc({ [label]: value }, 0)
    return { inc: (value) => counter.inc({ [label]: value }) }
  }

  #counter(name: string, help: string): Counter {
    return new Counter({ name, help, registers: [this.#registry] })
  }

  #histogram(name: string, help: string, buckets: number[] = FAST_SECONDS): Histogram {
    return new Histogram({ name, help, buckets, registers: [this.#registry] })
  }

  #gauge<Label extends string>(
    name: string,
    help: string,
    labelNames: Label[],
    collect: (gauge: Gauge<Label>) => void,
  ): void {
    const gauge: Gauge<Label> = new Gauge({
      name,
      help,
      labelNames,
      registers: [this.#registry],
      collect: () => collect(gauge),
    })
  }

  /** A counter whose value is summed up when it is read. */
  #sum(name: string, help: string, read: () => number): void {
    const counter: Counter = new Counter({
      name,
      help,
      registers: [this.#registry],
      collect() {
        counter.reset()
        counter.inc(read())
      },
    })
  }

  /** The same, of which there is one for each of its values. */
  #sumBy(name: string, help: string, label: string, read: () => ReadonlyMap<string, number>): void {
    const counter: Counter = new Counter({
      name,
      help,
      labelNames: [label],
      registers: [this.#registry],
      collect() {
        counter.reset()
        for (const [value, count] of read()) counter.inc({ [label]: value }, count)
      },
    })
  }
}
