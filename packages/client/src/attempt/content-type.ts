const TYPE = /^[\t\n\r ]*([!#$%&'*+.^_`|~\w-]+\/[!#$%&'*+.^_`|~\w-]+)[\t\n\r ]*(;|$)/
const QUOTED = /"(\\.|[^"\\])*("|$)/g

/**
 * Whether a `Content-Type` has the essence `text/event-stream`: whatever its case and its parameters. Of several, which
 * `fetch` joins by commas, the last one that is a type counts (Fetch §2.2.2, "extract a MIME type").
 */
export function isEventStream(contentType: string | null): boolean {
  let essence: string | undefined
  for (const part of (contentType ?? '').replaceAll(QUOTED, '').split(',')) {
    const type = TYPE.exec(part)?.[1]?.toLowerCase()
    if (type !== undefined && type !== '*/*') essence = type
  }
  return essence === 'text/event-stream'
}
