import { parseEventId } from '@millrace/protocol'

/** Below 0 when `a` is before `b`, 0 at the same place, above 0 after it. NaN when they have no order. */
export function idOrder(a: string, b: string): number {
  const [one, other] = [parseEventId(a), parseEventId(b)]
  return one && one.epoch === other?.epoch ? one.seq - other.seq : NaN
}
