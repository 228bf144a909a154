export type { NodeRequest, NodeResponse } from './node-http.ts'
export { NodeTransport, type Route } from './node-transport.ts'
export { openTransport, type OpenTransportOptions } from './open-transport.ts'
export { sseHeaders } from './sse-headers.ts'
export { createChannel, type Channel } from './create-channel.ts'
export { createHub, type NodeHub } from './create-hub.ts'
export { sendProblem } from './send-whole.ts'
export { streamHandler, type Authorizer, type StreamHandler, type StreamHandlerOptions } from './stream-handler.ts'
export { createSession, sessionFactory, type CreateSession, type SessionOptions } from './create-session.ts'
// What a program with a hub of its own needs besides, so that one package is enough.
export {
  HubError,
  memory,
  problem,
  problemBody,
  PROBLEM_TYPE,
  type Admission,
  type ChannelEvent,
  type ChannelOptions,
  type EventMap,
  type FetchHandler,
  type Grant,
  type Hub,
  type HubErrorCode,
  type HubLimits,
  type HubOptions,
  type HubStats,
  type Problem,
  type PublishEvent,
  type PublishResult,
  type ReceivedEvent,
  type ReceivedGap,
  type Refusal,
  type Session,
  type SessionEnd,
  type SessionEvent,
  type SessionFactoryOptions,
  type SessionLimits,
  type StreamHeaders,
  type SubscribeOptions,
  type TopicRule,
} from '@millrace/server'
