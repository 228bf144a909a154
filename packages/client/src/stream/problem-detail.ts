import type { Clock } from '../clock.ts'

/** Of a longer answer nothing is taken. */
const MAX_PROBLEM_BYTES = 8_192
/** How long it may take to come: that a request was refused is known already. Milliseconds. */
const MAX_WAIT_MS = 2_000

/**
 * What a refusal says of itself: the `detail` of its problem (RFC 9457); empty when it says nothing, or not in time.
 *
 * Ends with the body of the response, one way or the other, and at once when the signal is aborted. Never rejects.
 */
export async function problemDetail({ headers, body }: Response, clock: Clock, signal: AbortSignal): Promise<string> {
  const stop = (): void => void reader?.cancel().catch(() => {})
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined
  // A read that waits for more is told that there is none.
  const cancelTimer = clock.after(MAX_WAIT_MS, stop)
  signal.addEventListener('abort', stop)
  try {
    reader = body?.getReader()
    if (!reader || signal.aborted || !headers.get('content-type')?.includes('problem+json')) return ''
    const decoder = new TextDecoder()
    let text = ''
    for (let count = 0; count <= MAX_PROBLEM_BYTES;) {
      const { done, value } = await reader.read()
      if (done) {
        const { detail } = JSON.parse(text) as { readonly detail?: unknown }
        return typeof detail === 'string' ? detail : ''
      }
      count += value.length
      text += decoder.decode(value, { stream: true })
    }
  } catch {
    // It is no JSON, or was cut off.
  } finally {
    cancelTimer()
    signal.removeEventListener('abort', stop)
    stop()
  }
  return ''
}
