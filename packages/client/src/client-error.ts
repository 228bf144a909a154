/**
 * - `invalid_option`: an option cannot be used as it is.
 * - `network`: there was no response, or the connection broke.
 * - `timeout`: the server did not answer in time.
 * - `silent`: the connection is open, and no byte has come for longer than the server promises.
 * - `held_back`: the response has begun, and something on the way keeps its bytes.
 * - `ended`: the server has ended the response.
 * - `status`: the server has refused; see `status`.
 * - `content_type`: what came is no event stream, or no answer to a poll.
 * - `unreadable`: what came breaks a limit, or is not what it says it is.
 * - `unauthorized`: the grant of the stream has ended.
 * - `authorize`: the `authorize` hook has failed; see `cause`.
 * - `missed`: events were missed, and there is no `onSync` to fetch the state anew.
 * - `sync`: `onSync` has failed and is called again; see `cause`.
 * - `handler`: a handler has thrown; see `cause`.
 * - `storage`: the last id cannot be read or written; see `cause`.
 * - `closed`: the stream is closed.
 */
export type ClientErrorCode =
  | 'invalid_option'
  | 'network'
  | 'timeout'
  | 'silent'
  | 'held_back'
  | 'ended'
  | 'status'
  | 'content_type'
  | 'unreadable'
  | 'unauthorized'
  | 'authorize'
  | 'missed'
  | 'sync'
  | 'handler'
  | 'storage'
  | 'closed'

export interface ClientErrorFacts {
  /** The status of the response, when there was one. */
  readonly status?: number | undefined
  /** How long the server asks to stay away. Milliseconds. */
  readonly retryAfterMs?: number | undefined
  readonly cause?: unknown
  /** Of `publish`: the ids of the events that were stored before the one that was not. */
  readonly published?: readonly (string | null)[]
}

/** The one error of this package. Branch on `code` and `status`; the message is for people and may change. */
export class ClientError extends Error {
  override readonly name = 'ClientError'
  declare readonly code: ClientErrorCode
  declare readonly status: number | undefined
  declare readonly retryAfterMs: number | undefined
  declare readonly published: readonly (string | null)[]

  constructor(
    code: ClientErrorCode,
    message: string,
    { status, retryAfterMs, cause, published = [] }: ClientErrorFacts = {},
  ) {
    super(message, { cause })
    this.code = code
    this.status = status
    this.retryAfterMs = retryAfterMs
    this.published = published
  }

  /** An Error has no fields of its own for JSON, and is wanted in reports. */
  toJSON(): object {
    const { code, message, status } = this
    return { code, message, status }
  }
}
