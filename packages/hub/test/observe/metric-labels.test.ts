/** Each value of each label has a series of its own that rises, and no other does; and a hub brings those about. */
import { createHub, memory, type HubOptions, type NodeHub } from '@millrace/node'
import { parseSelector } from '@millrace/protocol'
import type { ReplayEnd, Subscriber, Transport, TransportOwner } from '@millrace/server'
import { describe, expect, onTestFinished, test } from 'vitest'
import { HubCounts } from '../../src/observe/hub-counts.ts'
import { HubMetrics } from '../../src/observe/hub-metrics.ts'
import * as labels from '../../src/observe/metric-labels.ts'
import { observers } from '../../src/observe/observers.ts'
import { parseSamples } from '../support/metric-samples.ts'

/** What the gauges ask: a hub that has nothing. */
const noHub = {
  subscribers: () => [],
  stats: () => ({
    ...{ subscribers: 0, live: 0, catchingUp: 0, audiences: 0, indexEntries: 0, pendingCatchUps: 0, pendingReads: 0 },
    ...{ passes: 0, hotWindowCount: 0, hotWindowBytes: 0, lagMs: 0, isFollowing: true },
  }),
}

/** The series of a metric that are not 0. */
async function risen(metrics: HubMetrics, name: string): Promise<string[]> {
  const samples = parseSamples(await metrics.text())
  return [...samples].filter(([series, value]) => series.startsWith(`${name}{`) && value > 0).map(([series]) => series)
}

const replay = (why: ReplayEnd['why'], source: ReplayEnd['source']): ReplayEnd => ({
  why,
  source,
  replayed: 1,
  durationMs: 1,
})
const resumed = { request: { lastEventId: 'x', from: 'now' } } as unknown as Subscriber
const closed = (reason: string): Subscriber => ({ state: { name: 'closed', reason } }) as unknown as Subscriber

type Case = readonly [name: string, label: string, values: readonly string[], act: (m: HubMetrics, v: never) => void]
const cases: readonly Case[] = [
  [
    'connections_opened',
    'protocol',
    labels.PROTOCOLS,
    (m, protocol) => m.onOpened({ protocol } as unknown as Subscriber),
  ],
  ['connections_closed', 'reason', labels.CLOSED_REASONS, (m, reason) => m.onClosed(closed(reason))],
  ['connections_refused', 'reason', labels.REFUSED_REASONS, (m, reason) => m.onRefused(reason)],
  ['slow', 'cause', labels.SLOW_CAUSES, (m, cause) => m.onSlow(resumed, cause)],
  ['gaps', 'reason', labels.GAP_REASONS, (m, reason) => m.onGap(resumed, reason)],
  ['polls', 'outcome', labels.POLL_OUTCOMES, (m, outcome) => m.onPolled(outcome, 1)],
  [
    'replays',
    'why',
    labels.REPLAY_WHYS.filter((why) => why !== 'values'),
    (m, why) => m.onCaughtUp(resumed, replay(why, 'log')),
  ],
]

test('millrace_connections says 0 of each state and protocol where there is no stream, or a sum of it would be nothing', async () => {
  const samples = parseSamples(await new HubMetrics(() => noHub, new HubCounts()).text())
  for (const state of labels.OPEN_STATES) {
    for (const protocol of labels.PROTOCOLS) {
      expect(samples.get(`millrace_connections{state="${state}",protocol="${protocol}"}`)).toBe(0)
    }
  }
})

test.each(cases)('millrace_%s_total counts by %s', async (name, label, values, act) => {
  for (const value of values) {
    const metrics = new HubMetrics(() => noHub, new HubCounts())
    act(metrics, value as never)
    expect(await risen(metrics, `millrace_${name}_total`)).toEqual([`millrace_${name}_total{${label}="${value}"}`])
  }
})

/** Takes bytes, keeps them, or throws. */
class TestTransport implements Transport {
  readonly highWaterMarkBytes = 1_024
  readonly #kind: 'quick' | 'stalled' | 'broken'
  bufferedBytes = 0
  isOpen = true
  #owner: TransportOwner | undefined

  constructor(kind: 'quick' | 'stalled' | 'broken') {
    this.#kind = kind
  }

  attach(owner: TransportOwner): void {
    this.#owner = owner
  }

  write({ bytes }: Parameters<Transport['write']>[0]): boolean {
    if (this.#kind === 'broken' && new TextDecoder().decode(bytes).includes('data: "later"'))
      throw new Error('It broke.')
    if (this.#kind === 'stalled') this.bufferedBytes += bytes.byteLength
    return this.bufferedBytes <= this.highWaterMarkBytes
  }

  end(): void {
    this.destroy()
  }

  destroy(): void {
    if (!this.isOpen) return
    this.isOpen = false
    queueMicrotask(() => this.#owner?.onClose())
  }
}

describe('a stream of a hub', () => {
  const request = { types: [], from: 'now', lastEventId: undefined, nameBy: 'type', envelope: false } as const

  async function open(
    kind: 'quick' | 'stalled' | 'broken',
    options: Partial<HubOptions> = {},
  ): Promise<{ hub: NodeHub; metrics: HubMetrics }> {
    const counts = new HubCounts()
    const metrics = new HubMetrics(() => hub, counts)
    const hub: NodeHub = createHub({ backend: memory(), ...options, observer: observers([counts, metrics]) })
    await hub.ready()
    onTestFinished(() => hub.close({ drainMs: 0 }))
    const admission = await hub.admit({ ...request, selectors: [parseSelector('a')] })
    if (admission.kind !== 'accepted') throw new Error(`It was ${admission.kind}`)
    admission.open(new TestTransport(kind))
    return { hub, metrics }
  }

  /** The first that rise of a metric; the test's own time limit ends it. */
  async function first(metrics: HubMetrics, name: string): Promise<readonly string[]> {
    for (;;) {
      const found = await risen(metrics, name)
      if (found.length > 0) return found
      await new Promise((resolve) => {
        setImmediate(resolve)
      })
    }
  }

  test('that is ended with the hub is closed by shutdown', async () => {
    const { hub, metrics } = await open('quick')
    await hub.close({ drainMs: 0 })
    expect(await first(metrics, 'millrace_connections_closed_total')).toEqual([
      'millrace_connections_closed_total{reason="shutdown"}',
    ])
  })

  test('whose topics are finished is closed by that', async () => {
    const { hub, metrics } = await open('quick')
    await hub.publish({ topic: 'a', data: 1, end: true })
    expect(await first(metrics, 'millrace_connections_closed_total')).toEqual([
      'millrace_connections_closed_total{reason="finished"}',
    ])
  })

  test('that falls behind where that is not borne is slow by bytes, and closed by slow', async () => {
    const { hub, metrics } = await open('stalled', { slowPolicy: 'disconnect', maxBufferBytes: 1_024 })
    await hub.publish({ topic: 'a', data: 'x'.repeat(2_000) })
    expect(await first(metrics, 'millrace_slow_total')).toEqual(['millrace_slow_total{cause="bytes"}'])
    expect(await first(metrics, 'millrace_connections_closed_total')).toEqual([
      'millrace_connections_closed_total{reason="slow"}',
    ])
  })

  test('whose transport throws is closed by error', async () => {
    const { hub, metrics } = await open('broken')
    await hub.publish({ topic: 'a', data: ['later'] })
    await hub.publish({ topic: 'a', data: '"later"' })
    expect(await first(metrics, 'millrace_connections_closed_total')).toEqual([
      'millrace_connections_closed_total{reason="error"}',
    ])
  })
})
