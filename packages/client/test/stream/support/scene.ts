import { onTestFinished } from 'vitest'
import type { ClientError } from '../../../src/client-error.ts'
import { connect } from '../../../src/stream/connect.ts'
import type { StreamEvent } from '../../../src/stream/event-map.ts'
import type { EventStream } from '../../../src/stream/event-stream.ts'
import type { StreamOptions } from '../../../src/stream/stream-options.ts'
import type { StreamStatus } from '../../../src/stream/stream-status.ts'
import { ReferenceHub } from './reference-hub.ts'
import { settle, TestClock } from './test-clock.ts'

export const URL_OF_HUB = 'http://hub.test/events'

export interface Scene {
  readonly clock: TestClock
  readonly hub: ReferenceHub
  readonly stream: EventStream
  readonly statuses: StreamStatus[]
  readonly errors: ClientError[]
  readonly events: StreamEvent[]
  /** The data of all events so far. */
  data(): unknown[]
}

/** A stream on a reference hub, with chance that is always in the middle, and notes of what it says. */
export async function openScene(
  options: StreamOptions = {},
  { prepare, listen = true }: { prepare?: (hub: ReferenceHub) => void; listen?: boolean } = {},
): Promise<Scene> {
  const clock = new TestClock()
  const hub = new ReferenceHub(clock)
  prepare?.(hub)
  const statuses: StreamStatus[] = []
  const errors: ClientError[] = []
  const events: StreamEvent[] = []
  const stream = connect(URL_OF_HUB, {
    fetch: hub.fetch,
    clock,
    fraction: () => 0.5,
    onState: (status) => void statuses.push(status),
    onError: (error) => void errors.push(error),
    ...options,
  })
  onTestFinished(() => stream.close())
  if (listen) stream.on('*', (event) => void events.push(event))
  await settle()
  return { clock, hub, stream, statuses, errors, events, data: () => events.map(({ data }) => data) }
}
