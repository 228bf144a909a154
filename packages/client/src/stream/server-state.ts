import type { SyncReason } from '@millrace/protocol'
import type { MissedNotice } from './event-feed.ts'

/** An object of JSON from elsewhere: nothing is known of its fields. */
export type Said = Readonly<Record<string, unknown>>

/** What the server has said about itself and about the open stream. */
export class ServerState {
  /** The least delay before an attempt. Milliseconds. */
  floorMs: number
  isHub: boolean = false
  heartbeatMs: number | undefined
  /** The open stream, by which its server can be asked to change it. */
  connection: string | undefined
  secret: unknown
  isUnauthorized: boolean = false
  /** Topics to which nothing more will come. */
  readonly endedTopics: Set<string> = new Set<string>()

  constructor(floorMs: number) {
    this.floorMs = floorMs
  }

  /** Takes a control event (`docs/protocol.md`, section 7). */
  hear(type: string, { connection, secret, heartbeatMs, topic }: Said): void {
    if (type === 'stream:connected') {
      this.isHub = true
      this.connection = String(connection)
      this.secret = secret
      if (typeof heartbeatMs === 'number' && heartbeatMs > 0) this.heartbeatMs = heartbeatMs
    } else if (type === 'stream:end') this.endedTopics.add(String(topic))
    else if (type === 'stream:unauthorized') this.isUnauthorized = true
  }

  /** Whether a stream of these topics that ends is finished, and not cut off. */
  hasEnded(topics: readonly string[]): boolean {
    return topics.length > 0 && topics.every((topic) => this.endedTopics.has(topic))
  }
}

/** Reads the data of a control event; what is no object says nothing. */
export function readObject(text: string): Said {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Said) : {}
  } catch {
    return {}
  }
}

/** @param from the id that was asked for */
export function missedNotice({ reason, oldest }: Said, from: string): MissedNotice {
  return { reason: reason as SyncReason, from, oldest: typeof oldest === 'string' ? oldest : '' }
}
