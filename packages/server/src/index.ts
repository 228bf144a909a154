export type { Clock } from './clock.ts'
export { Sweep, type SweepMember, type SweepOptions } from './sweep.ts'
