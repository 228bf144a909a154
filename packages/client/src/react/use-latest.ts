import { useCallback, useRef, useSyncExternalStore } from 'react'
import type { HandlerArgument, HandlerType } from '../stream/event-map.ts'
import type { StreamHandle } from './stream-handle.ts'

export interface LatestOptions {
  /** Only events of this topic; no pattern. @default all that the stream brings */
  readonly topic?: string | undefined
}

/**
 * The newest event of a type since the component was mounted; undefined until one comes. Events that arrive together cause one
 * rendering. Type and topic may change: what belongs to others is forgotten.
 *
 * @example
 * const tick = useLatest(prices, 'tick', { topic: 'stocks.AAPL' })
 * return <td>{tick?.data.price ?? '–'}</td>
 */
export function useLatest<Events extends object, T extends HandlerType<Events>>(
  { stream }: StreamHandle<Events>,
  type: T,
  { topic }: LatestOptions = {},
): HandlerArgument<Events, T> | undefined {
  const latest = useRef<{ readonly of: unknown; readonly event: HandlerArgument<Events, T> | undefined }>(undefined)
  const subscribe = useCallback(
    (onChange: () => void): (() => void) => {
      const of = subscribe
      latest.current = { of, event: latest.current?.of === of ? latest.current.event : undefined }
      const stop = stream?.on(type, (event) => {
        if (topic !== undefined && event.topic !== topic) return
        latest.current = { of, event }
        onChange()
      })
      return () => stop?.()
    },
    [stream, type, topic],
  )
  const current = (): HandlerArgument<Events, T> | undefined =>
    latest.current?.of === subscribe ? latest.current.event : undefined
  return useSyncExternalStore(subscribe, current, () => undefined)
}
