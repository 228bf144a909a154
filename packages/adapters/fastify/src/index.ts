export { createSession } from './create-session.ts'
export type { HijackableReply, RawRequest } from './hand-over.ts'
export { nodeRoute, streams, type StreamRoute, type StreamsOptions, type StreamSource } from './streams.ts'
