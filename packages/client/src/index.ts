export type { Fetch, FetchInit, RequestBody } from './attempt/read-event-stream.ts'
export { systemClock, type Clock } from './clock.ts'
