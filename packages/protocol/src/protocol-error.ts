/**
 * - `invalid_field`: a value cannot stand in a field of the stream without breaking it.
 * - `invalid_position`: not a place in a log, so it has no event id.
 * - `invalid_topic`, `invalid_selector`: not a topic, not a topic or pattern.
 * - `invalid_base64`: not base64.
 * - `invalid_option`: an option is outside its range.
 * - `line_too_long`, `event_too_large`: the stream that is parsed breaks a limit.
 */
export type ProtocolErrorCode =
  | 'invalid_field'
  | 'invalid_position'
  | 'invalid_topic'
  | 'invalid_selector'
  | 'invalid_base64'
  | 'invalid_option'
  | 'line_too_long'
  | 'event_too_large'

/** The one error of this package. Branch on `code`; the message is for people and may change. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError'
  declare readonly code: ProtocolErrorCode
  constructor(code: ProtocolErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
