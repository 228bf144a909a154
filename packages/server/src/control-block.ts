import { encodeEvent, formatEventId, type ControlData, type ControlType, type Position } from '@millrace/protocol'

/** The text of a control event, with the id that it vouches for, if any. */
export function controlBlock<T extends ControlType>(type: T, data: ControlData[T], position?: Position): string {
  return encodeEvent({
    ...(position ? { id: formatEventId(position) } : {}),
    event: type,
    data: JSON.stringify(data),
  })
}
