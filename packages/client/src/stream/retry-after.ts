/** Whoever asks for more than an hour has made a mistake, or attacks. Milliseconds. */
export const MAX_RETRY_MS = 3_600_000

/**
 * How long a response asks to stay away (RFC 9110 §10.2.3): seconds, or a date, which is counted from the response's own
 * `Date` when it can be read, since the two come from one clock. Undefined when it says nothing that can be read; never more than an hour.
 *
 * @param timeMs what the time is here. Milliseconds since 1970.
 */
export function retryAfterMs(headers: Headers, timeMs: number): number | undefined {
  const text = headers.get('retry-after') ?? ''
  const delayMs = /^\d+$/.test(text)
    ? Number(text) * 1000
    : Date.parse(text) - (Date.parse(headers.get('date') ?? '') || timeMs)
  return delayMs >= 0 ? Math.min(MAX_RETRY_MS, delayMs) : undefined
}
