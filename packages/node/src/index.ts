export type { NodeRequest, NodeResponse } from './node-http.ts'
export { NodeTransport, type Route } from './node-transport.ts'
export { openTransport, type OpenTransportOptions } from './open-transport.ts'
export { sseHeaders } from './sse-headers.ts'
export { createChannel, type Channel, type ChannelEvent, type ChannelOptions } from './create-channel.ts'
export { createHub, type NodeHub } from './create-hub.ts'
export { problem, problemBody, PROBLEM_TYPE, sendProblem, type Problem } from './problem.ts'
export {
  streamHandler,
  type Authorizer,
  type Grant,
  type Refusal,
  type StreamHandler,
  type StreamHandlerOptions,
} from './stream-handler.ts'
export {
  createSession,
  sessionFactory,
  type CreateSession,
  type SessionFactoryOptions,
  type SessionOptions,
} from './create-session.ts'
// What a program with a hub of its own needs besides, so that one package is enough.
export {
  HubError,
  memory,
  type Admission,
  type EventMap,
  type Hub,
  type HubErrorCode,
  type HubLimits,
  type HubOptions,
  type HubStats,
  type PublishEvent,
  type PublishResult,
  type ReceivedEvent,
  type ReceivedGap,
  type Session,
  type SessionEnd,
  type SessionEvent,
  type SessionLimits,
  type StreamHeaders,
  type SubscribeOptions,
  type TopicRule,
} from '@millrace/server'
