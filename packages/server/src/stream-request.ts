/** A request for a stream as any platform can show it, so that one policy decides on all of them. */
export interface StreamRequest {
  readonly method: string
  /** The target without its query, as it was sent, or what a framework has left of it. */
  readonly path: string
  /** What is behind the first `?` of the target, as it was sent; '' when there is nothing. */
  readonly query: string
  /** Aborted when the client leaves. Asked for only when the client is kept waiting for an answer. */
  readonly signal: AbortSignal
  /** A header by its name in lower case, one character for each byte; what came several times joined by commas. */
  header(name: string): string | undefined
  /**
   * The body's bytes, or undefined when there are more than `maxBytes` of them. Rejects when its sender leaves before
   * the end. To be called once at most.
   */
  body(maxBytes: number): Promise<Uint8Array | undefined>
}
