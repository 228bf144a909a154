// Compiled with the tests and never run: an option that is undefined is one that is left out, as where another object's is handed on.
import {
  connect,
  defaultStreamLimits,
  publish,
  retryPolicy,
  type StreamLimits,
  type StreamOptions,
} from '@millrace/client'

export function undefinedIsLeftOut(given: StreamOptions): void {
  const { minDelayMs, maxBackoffMs, maxAttempts, giveUpAfterMs, connectTimeoutMs, streamTimeoutMs } = given
  const { pollWaitMs, pollIntervalMs, streamRetryMs, maxQueueCount, silenceMs, limits } = given
  const times = { minDelayMs, maxBackoffMs, maxAttempts, giveUpAfterMs, connectTimeoutMs, streamTimeoutMs }
  connect('/events', { ...times, pollWaitMs, pollIntervalMs, streamRetryMs, maxQueueCount, silenceMs, limits })
  void publish('/events', [], { maxAttempts: undefined, timeoutMs: undefined })
  // @ts-expect-error no such option
  connect('/events', { maxAttempt: 1 })
}

export function limitsAreWhole(): void {
  retryPolicy(defaultStreamLimits, Math.random)
  // @ts-expect-error what was resolved has every limit
  const limits: StreamLimits = { ...defaultStreamLimits, minDelayMs: undefined }
  void limits
}
