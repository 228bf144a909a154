import { parseTopic, type Position } from '@millrace/protocol'
import type { EventLog, NewEvent, StoredEvent } from '@millrace/server'

export function event(topic: string, data: string = `of ${topic}`): NewEvent {
  return { topic: parseTopic(topic), data }
}

export function numbered(count: number, topic: string = 'news'): NewEvent[] {
  return Array.from({ length: count }, (_, i) => event(topic, `${i + 1}`))
}

/** Everything that the log keeps. */
export async function readAll(log: EventLog): Promise<StoredEvent[]> {
  const events: StoredEvent[] = []
  let after: Position | 'oldest' = 'oldest'
  for (;;) {
    const page = await log.read({ after, selectors: 'all', maxCount: 100_000, maxBytes: 1e9 })
    if (page.kind === 'gap') throw new Error(`a gap: ${page.reason}`)
    events.push(...page.events)
    if (page.scannedTo.seq === page.head.seq) return events
    after = page.scannedTo
  }
}
