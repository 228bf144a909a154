export { createSession } from './create-session.ts'
export type { NodeHandler } from './node-objects.ts'
export { fetchRoute, streams, type StreamRoute, type StreamsOptions, type StreamSource } from './streams.ts'
