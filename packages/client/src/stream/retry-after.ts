/**
 * How long a response asks to stay away (RFC 9110 §10.2.3): seconds, or a date, which is counted from the response's own
 * `Date` when it can be read, since the two come from one clock. Undefined when it says nothing that can be read.
 *
 * @param timeMs what the time is here. Milliseconds since 1970.
 */
export function retryAfterMs(headers: Headers, timeMs: number): number | undefined {
  const text = headers.get('retry-after')?.trim() ?? ''
  if (/^\d+$/.test(text)) return Number(text) * 1000
  const delayMs = Date.parse(text) - (Date.parse(headers.get('date') ?? '') || timeMs)
  return delayMs >= 0 ? delayMs : undefined
}
