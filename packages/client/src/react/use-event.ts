import { useEffect, useInsertionEffect, useRef } from 'react'
import type { HandlerArgument, HandlerType } from '../stream/event-map.ts'
import type { StreamHandle } from './stream-handle.ts'

/**
 * Calls `handler`, as it was last rendered, for each event of a type; `*` stands for all types. It is called outside of
 * rendering: set state there, fetch, show a notification. Several events may come before the next rendering, so what follows
 * from state goes by the function form: `setAlerts((alerts) => …)`.
 *
 * @example
 * useEvent(stream, 'alert', ({ data }) => setAlerts((alerts) => [...alerts, data]))
 */
export function useEvent<Events extends object, T extends HandlerType<Events>>(
  { stream }: StreamHandle<Events>,
  type: T,
  handler: (event: HandlerArgument<Events, T>) => void,
): void {
  const latest = useRef(handler)
  useInsertionEffect(() => {
    latest.current = handler
  })
  useEffect(() => stream?.on(type, (event) => latest.current(event)), [stream, type])
}
