/** Limits of requests that are the same for every hub; `docs/defaults.md` lists them. */
export interface FixedLimits {
  /** Events of one array. */
  readonly maxBatchCount: number
  /** A body of JSON; twice `maxEventBytes`, where that is more. */
  readonly maxBodyBytes: number
  /** Events of one request that has one a line. */
  readonly maxLines: number
  /** The body of such a request. */
  readonly maxLinesBytes: number
  /** How long such a request may take from one line to the next. */
  readonly lineTimeoutMs: number
  /** When the head of a request must be here. */
  readonly headTimeoutMs: number
  /** When a request must be here whole, unless it publishes by lines. Streams are not affected. */
  readonly requestTimeoutMs: number
  /** How long a connection is kept on which no request comes. */
  readonly idleTimeoutMs: number
}

export const fixedLimits: FixedLimits = Object.freeze({
  maxBatchCount: 10_000,
  maxBodyBytes: 1024 * 1024,
  maxLines: 10_000,
  maxLinesBytes: 64 * 1024 * 1024,
  lineTimeoutMs: 30_000,
  headTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  idleTimeoutMs: 75_000,
})
