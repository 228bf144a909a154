import type { StreamEvent } from '../stream/event-map.ts'
import type { EventStream } from '../stream/event-stream.ts'

export interface GapListeners {
  /** The stream, for all who use it. */
  readonly stream: EventStream
  /** Whether anybody who uses it listens for gaps. */
  hasAny(): boolean
}

/** Counts who listens for gaps: those who have a stream together have an `onSync` in any case, which cannot see who else is told. */
export function watchGapListeners(stream: EventStream): GapListeners {
  const listeners = new Set<object>()
  const on = (type: string, handler: (event: StreamEvent) => void): (() => void) => {
    const off = stream.on(type, handler)
    if (type !== 'stream:sync-required') return off
    listeners.add(off)
    return () => {
      listeners.delete(off)
      off()
    }
  }
  // All else is the stream's own, its getters included.
  return { stream: Object.create(stream, { on: { value: on } }) as EventStream, hasAny: () => listeners.size > 0 }
}
