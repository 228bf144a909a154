import type { EventMap } from '../stream/event-map.ts'
import type { AnyStream, EventStream } from '../stream/event-stream.ts'
import type { StreamOptions } from '../stream/stream-options.ts'
import type { StreamStatus } from '../stream/stream-status.ts'

/**
 * The options of `connect`, but for `signal`: a stream is closed when the last component that uses it has gone.
 *
 * They may be written in place: they are compared by value, not by identity. Functions are not compared. Of `onSync`, `onError`,
 * `onState` and `onAttempt` each component's is called, as it was last rendered; of the others (`authorize`, `fetch`, `parse`, …)
 * that of the component that has used the stream for longest.
 */
export type UseStreamOptions = Omit<StreamOptions, 'signal'>

/** Any stream as a component has it, whatever its events are: for components that show where one stands. */
export interface AnyStreamHandle {
  /** Where the stream stands, to be shown to a user. `idle` when there is none: the URL is false. */
  readonly status: StreamStatus | { readonly name: 'idle' }
  /** What `connect` has given. Undefined on the server, in the first render, and while the status is `idle`. */
  readonly stream: AnyStream | undefined
  /** Opens the stream anew, from the last id on: the answer to "Try again" when the status is `failed`. For all that share it. */
  restart(): void
}

/**
 * A stream as a component has it. A new object whenever something of it has changed, and only then. A component that takes any
 * stream, whatever its events are, takes an {@link AnyStreamHandle}.
 */
export interface StreamHandle<Events extends object = EventMap> extends AnyStreamHandle {
  readonly stream: EventStream<Events> | undefined
}
