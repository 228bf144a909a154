export type { Clock } from './clock.ts'
export { Sweep, type SweepMember, type SweepOptions } from './sweep.ts'
export { http1StreamHeaders, streamHeaders, streamHeadersFor, type StreamHeaders } from './stream-headers.ts'
