/** A request for a stream as any platform can show it, so that one policy decides on all of them. */
export interface StreamRequest {
  readonly method: string
  /** What is behind the first `?` of the target, as it was sent; '' when there is nothing. */
  readonly query: string
  /** A header by its name in lower case, one character for each byte; what came several times joined by commas. */
  header(name: string): string | undefined
}
