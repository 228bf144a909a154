/**
 * - `invalid_field`: a value cannot stand in a field of the stream without breaking it.
 * - `invalid_topic`, `invalid_selector`: not a topic, not a topic or pattern.
 * - `line_too_long`, `event_too_large`: the stream that is parsed breaks a limit.
 */
export type ProtocolErrorCode =
  | 'invalid_field'
  | 'invalid_topic'
  | 'invalid_selector'
  | 'line_too_long'
  | 'event_too_large'

export class ProtocolError extends Error {
  override readonly name = 'ProtocolError'
  readonly code: ProtocolErrorCode
  constructor(code: ProtocolErrorCode, message: string) {
    super(message)
    this.code = code
  }
}
