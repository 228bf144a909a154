import type { NodeHub } from '@millrace/node'
import type { HubCounts } from '../observe/hub-counts.ts'

/** What `GET /admin/stats` answers. Counts are since the hub started. */
export interface StatsReport {
  readonly uptimeMs: number
  readonly connections: {
    readonly total: number
    readonly active: number
    readonly byState: Readonly<Record<string, number>>
    readonly endedBy: Readonly<Record<string, number>>
  }
  readonly polls: { readonly answered: number; readonly events: number }
  readonly events: { readonly published: number; readonly delivered: number }
  readonly bytes: { readonly published: number; readonly sent: number }
  readonly errors: {
    readonly publishFailures: number
    readonly gaps: number
    readonly slow: number
    readonly refused: number
  }
  readonly memory: { readonly rssBytes: number; readonly heapUsedBytes: number; readonly hotWindowBytes: number }
  readonly lagMs: number
  readonly log: { readonly isFollowing: boolean; readonly hotWindowEvents: number; readonly pendingReads: number }
}

/** The few numbers that an operator looks at first. */
export function reportStats(hub: NodeHub, counts: HubCounts): StatsReport {
  const stats = hub.stats()
  const byState: Record<string, number> = { live: 0, 'catching-up': 0, closing: 0 }
  for (const { state } of hub.subscribers()) byState[state.name] = (byState[state.name] ?? 0) + 1
  const delivered = counts.delivered(hub)
  const { rss, heapUsed } = process.memoryUsage()
  return {
    uptimeMs: Math.round(process.uptime() * 1000),
    connections: { total: counts.opened, active: hub.size, byState, endedBy: Object.fromEntries(counts.closedBy) },
    polls: { answered: counts.polls, events: counts.polledEvents },
    events: { published: counts.published, delivered: delivered.events },
    bytes: { published: counts.publishedBytes, sent: delivered.bytes },
    errors: {
      publishFailures: [...counts.publishFailures.values()].reduce((sum, count) => sum + count, 0),
      gaps: counts.gaps,
      slow: counts.slow,
      refused: counts.refused,
    },
    memory: { rssBytes: rss, heapUsedBytes: heapUsed, hotWindowBytes: stats.hotWindowBytes },
    lagMs: Math.round(stats.lagMs),
    log: { isFollowing: stats.isFollowing, hotWindowEvents: stats.hotWindowCount, pendingReads: stats.pendingReads },
  }
}
