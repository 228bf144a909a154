/**
 * How the connection of a request is: still `open`; `ended` by the answer, as HTTP ends one; `cut` by the script or the
 * server; `left` by the client.
 */
export type Ending = 'open' | 'ended' | 'cut' | 'left'

/** One request that the script of a fault server was for. */
export interface RecordedRequest {
  /** 1 for the first one. */
  readonly number: number
  /** When it came, by `performance.now()`. Milliseconds. */
  readonly atMs: number
  readonly method: string
  readonly url: URL
  /** By name in lower case; of a repeated header the values, joined by a comma. */
  readonly headers: ReadonlyMap<string, string>
  /** Empty when there is none. */
  readonly body: Buffer
  /** The header `Last-Event-ID`, as UTF-8 (HTML Standard §9.2.3). Undefined when it did not come. */
  readonly lastEventId: string | undefined
  /** What was sent in answer, head and framing included: the first 16 MiB of it. */
  readonly sent: Buffer
  readonly ending: Ending
}

/** One line for error messages. */
export function describeRequest({ number, method, url, lastEventId, ending }: RecordedRequest): string {
  const resume = lastEventId === undefined ? '' : `, Last-Event-ID ${JSON.stringify(lastEventId)}`
  return `${number}. ${method} ${url.pathname}${url.search}${resume} (${ending})`
}
