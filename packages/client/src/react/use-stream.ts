import { useCallback, useInsertionEffect, useRef, useSyncExternalStore } from 'react'
import { systemClock } from '../clock.ts'
import { connect } from '../stream/connect.ts'
import type { EventMap } from '../stream/event-map.ts'
import { OPENING, SharedStreams, type SharedStreamsOptions, type StreamUser } from './shared-streams.ts'
import type { StreamHandle, UseStreamOptions } from './stream-handle.ts'
import { streamKey } from './stream-key.ts'

/**
 * A stream for as long as the component is mounted. Components with an equal URL and equal options share one connection, which
 * is closed a moment after the last of them has gone. Nothing is opened while rendering, nor on a server.
 *
 * @param url false for no stream: not signed in yet, nothing to watch
 *
 * @example
 * const prices = useStream<{ tick: { price: number } }>('/events', { topics: ['stocks.*'] })
 * const tick = useLatest(prices, 'tick')
 *
 * @throws ClientError `invalid_option`, to the nearest error boundary
 */
export type UseStream = <Events extends object = EventMap>(
  url: string | URL | false,
  options?: UseStreamOptions,
) => StreamHandle<Events>

/** A second is longer than what lies between two pages of a router, and short for a connection that nobody wants. */
const GRACE_MS = 1_000

const NO_OPTIONS: UseStreamOptions = Object.freeze({})
const IDLE: StreamHandle = Object.freeze({ status: Object.freeze({ name: 'idle' }), stream: undefined, restart() {} })

/** Makes a {@link useStream} whose components share streams with each other and with nobody else. */
export function streamHook(options: Partial<SharedStreamsOptions> = {}): UseStream {
  const streams = new SharedStreams({ connect, clock: systemClock, graceMs: GRACE_MS, ...options })
  return function useStream<Events extends object>(
    url: string | URL | false,
    given: UseStreamOptions = NO_OPTIONS,
  ): StreamHandle<Events> {
    const key = url === false ? undefined : streamKey(url, given)
    const latest = useRef({ url, options: given })
    useInsertionEffect(() => {
      latest.current = { url, options: given }
    })
    const subscribe = useCallback(
      (onChange: () => void): (() => void) => {
        const { url: current } = latest.current
        if (key === undefined || current === false) return () => {}
        const user: StreamUser = {
          get options() {
            return latest.current.options
          },
          onChange,
        }
        return streams.use(key, current, user)
      },
      [key],
    )
    const handle = useSyncExternalStore(
      subscribe,
      () => (key === undefined ? IDLE : streams.handle(key)),
      () => (key === undefined ? IDLE : OPENING),
    )
    // Which data belongs to which type is the event map's claim.
    return handle as StreamHandle<Events>
  }
}

/**
 * A stream for as long as the component is mounted, shared by all components of the page with an equal URL and equal options;
 * see {@link UseStream}. `false` as URL is no stream.
 *
 * @throws ClientError `invalid_option`, to the nearest error boundary
 */
export const useStream: UseStream = /* @__PURE__ */ streamHook()
