import { ClientError, type ClientErrorCode } from '../client-error.ts'
import { makeAlarm, type Clock } from '../clock.ts'

/** One request for events, from `authorize` to the end of the response: what it may wait for. */
export interface FeedAttempt {
  /** Its reason is why the attempt was stopped. */
  readonly signal: AbortSignal
  /** Ends it: by an error, or because another one is wanted. Also when it has ended: no timer is left. */
  stop(cause?: ClientError | 'restart'): void
  /** Ends it by an error unless the next limit is set before. Milliseconds, or false for no limit. */
  limit(delayMs: number | false, code?: ClientErrorCode, message?: string): void
  /** Waits for no longer than the attempt goes on. Rejects with the reason of its end. */
  until<T>(promise: T | Promise<T>): Promise<T>
}

export function makeAttempt(clock: Clock): FeedAttempt {
  const controller = new AbortController()
  const { signal } = controller
  const alarm = makeAlarm(clock)
  const aborted = new Promise<never>((_, reject) =>
    signal.addEventListener('abort', () => reject(signal.reason as Error)),
  )
  aborted.catch(() => {})
  const stop: FeedAttempt['stop'] = (cause) => {
    alarm(false)
    controller.abort(cause)
  }
  return {
    signal,
    stop,
    limit: (delayMs, code = 'timeout', message = '') => alarm(delayMs, () => stop(new ClientError(code, message))),
    until: (promise) => Promise.race([promise, aborted]),
  }
}
