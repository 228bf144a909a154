/** The last of the types that `fetch` joins by commas: the one that counts (Fetch §2.2.2). A quoted parameter may have a comma. */
const EVENT_STREAM = /(^|,)[\t ]*text\/event-stream[\t ]*(;([^,"]|"[^"]*")*)?$/i

/** Whether a `Content-Type` has the essence `text/event-stream`, whatever its case and its parameters. */
export function isEventStream(contentType: string | null): boolean {
  return EVENT_STREAM.test(contentType ?? '')
}
