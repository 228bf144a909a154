export type { AttemptEnd, Fetch, FetchInit } from './attempt/read-event-stream.ts'
export { systemClock, type Clock } from './clock.ts'
export { exponentialBackoff } from './event-source/backoff.ts'
export type { Backoff, BackoffFacts, ExponentialBackoffOptions } from './event-source/backoff.ts'
export { EventSource, type EventSourceErrorEvent, type EventSourceEventMap } from './event-source/event-source.ts'
export type { EventSourceInit } from './event-source/event-source-init.ts'
export * from './client-error.ts'
export { connect } from './stream/connect.ts'
export type { DebugLogger } from './stream/debug-log.ts'
export type { AttemptInfo, FeedDiagnostics, FeedStatus, Transport } from './stream/event-feed.ts'
export type { ControlMap, EventMap, HandlerArgument, HandlerType, StreamEvent } from './stream/event-map.ts'
export type { AnyStream, EventStream, StreamDiagnostics, TopicChangeOptions } from './stream/event-stream.ts'
export type { Access, AccessRequest, Authorize } from './stream/feed-settings.ts'
export type { IdStorage, PersistOptions } from './stream/id-store.ts'
export { retryPolicy } from './stream/retry-policy.ts'
export type { RetryDecision, RetryOptions, RetryPolicy, RetryState } from './stream/retry-policy.ts'
export { defaultStreamLimits } from './stream/stream-options.ts'
export type { StreamLimits, StreamOptions, SyncRequest } from './stream/stream-options.ts'
export type { StreamStatus } from './stream/stream-status.ts'
export { MAX_ATOMIC_EVENTS } from './publish/encoded-events.ts'
export { publish } from './publish/publish.ts'
export type { OutgoingEvent, PublishedIds, PublishOptions } from './publish/publish-options.ts'
export type {
  CredentialsMode,
  HeadersInput,
  ListenerObject,
  ListenOptions,
  RequestBody,
  TextMessageEvent,
} from './web-types.ts'
